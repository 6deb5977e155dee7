// Live views: a region that says where its next state comes from is replaced by it, again and again. Without this
// file pages show how things stood when they were loaded.
for (const region of document.querySelectorAll('[data-live]')) {
  const every = Number(region.dataset.every) * 1000
  const renew = async () => {
    if (document.hidden) return
    try {
      const answer = await fetch(region.dataset.live, { headers: { accept: 'text/html' }, redirect: 'error' })
      if (!answer.ok) return
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
      const next = page.getElementById(region.id)
      // Never under the hands of whoever is at work in it.
      if (next !== null && !region.contains(document.activeElement)) region.replaceChildren(...next.childNodes)
    } catch {
      // The next turn may succeed.
    }
  }
  setInterval(renew, every)
}

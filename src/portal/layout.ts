/** What stands around a page: landmarks, navigation, who is logged in, and the other language. */
import { type Html, html, type Piece } from '../html.ts'
import { ICON, SCRIPT, STYLE } from './assets.ts'
import { hidden } from './parts.ts'
import type { Page, Visit } from './visit.ts'
import type { Tongue } from './words/index.ts'

export type Frame = { readonly tongue: Tongue; readonly bank: string; readonly here: string }
type Content = { readonly title: string; readonly body: Piece }

/** A page for somebody who is logged in. */
export function pageFor(
  visit: Visit,
  content: Content,
  of: { readonly page: Page | null; readonly pages: readonly Page[] },
): string {
  const { words } = visit.tongue
  const listed = of.pages.filter(({ name, isListed }) => isListed && visit.may(name))
  const links = listed.map(
    ({ name, path }) =>
      html`<li><a href="${path}"${name === of.page?.name ? html` aria-current="page"` : null}>${words.pages[name]}</a></li>`,
  )
  const navigation = html`<nav class="pages" aria-label="${words.shell.navigation}"><ul>${links}</ul></nav>`
  const { person, csrf } = visit.session
  const who = html`<a href="/account">${person.name}</a>
<span>${person.roles.map((role) => words.shell.roles[role]).join(' · ')}</span>
<form method="post" action="/logout">${hidden({ csrf })}<button class="plain">${words.shell.logout}</button></form>`
  const frame = { tongue: visit.tongue, bank: visit.rooms.tenant.name, here: visit.here }
  const tab = visit.failed === null ? content.title : `${words.shell.refused.title} · ${content.title}`
  return document(frame, content, { who, navigation, said: saidOf(visit), tab })
}

/** A page for anybody: before the login, and when something is refused. */
export const barePage = (frame: Frame, content: Content): string =>
  document(frame, content, { who: null, navigation: null, said: null, tab: content.title })

/** What became of the act that led here. It takes the focus: what was pressed is on another page, or gone. */
function saidOf({ query, failed, tongue: { words } }: Visit): Html | null {
  if (failed !== null) return failed.said
  const done = query.get('done')
  const act = Object.entries(words.acts).find(([name]) => name === done)?.[1]
  const said = done === 'proposed' ? words.shell.proposed : act === undefined ? null : `${words.shell.done}: ${act}`
  return said === null ? null : html`<p class="note" role="status" tabindex="-1" autofocus>${said}</p>`
}

type Around = { readonly who: Piece; readonly navigation: Piece; readonly said: Piece; readonly tab: string }

function document(frame: Frame, { title, body }: Content, { who, navigation, said, tab }: Around): string {
  const { language, direction, words } = frame.tongue
  const other = language === 'en' ? 'ar' : 'en'
  const switched = `/language/${other}?back=${encodeURIComponent(frame.here)}`
  return html`<!doctype html>
<html lang="${language}" dir="${direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${tab} · ${frame.bank}</title>
<link rel="icon" href="${ICON.path}">
<link rel="stylesheet" href="${STYLE.path}">
<script src="${SCRIPT.path}" defer></script>
</head>
<body>
<a class="skip" href="#main">${words.shell.skip}</a>
<header class="top">
<div class="brand"><a href="/">${words.shell.product} · ${frame.bank}</a></div>
<div class="who">${who}<a href="${switched}" lang="${other}" hreflang="${other}">${words.shell.otherLanguage}</a></div>
</header>
${navigation}
<main id="main" tabindex="-1">
<h1>${title}</h1>
${said}
${body}
</main>
<footer>${words.shell.footer}</footer>
</body>
</html>
`.text
}

/** One stylesheet, two houses. Colours keep a contrast of at least 4.5 to 1 on their grounds. */
export type ThemeName = 'dawn' | 'oasis'

type Theme = { readonly accent: string; readonly dark: string; readonly ground: string; readonly line: string }

const THEMES: Readonly<Record<ThemeName, Theme>> = {
  dawn: { accent: '#8a2f5d', dark: '#3d1029', ground: '#fdf6f3', line: '#e6d3cb' },
  oasis: { accent: '#0f6a5b', dark: '#0a332d', ground: '#f3f8f4', line: '#cddfd5' },
}

export function style(name: ThemeName): string {
  const theme = THEMES[name]
  return `:root{--accent:${theme.accent};--dark:${theme.dark};--ground:${theme.ground};--line:${theme.line};--alarm:#a3120f}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:#1d1d1f;font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header{background:var(--dark);color:#fff;padding:.9rem 1rem}
header p{max-width:40rem;margin:0 auto;font-weight:600;letter-spacing:.02em}
main{max-width:40rem;margin:0 auto;padding:1.25rem 1rem 3rem}
h1{font-size:1.45rem;line-height:1.25;margin:.4rem 0 1rem}
h2{font-size:1.05rem;margin:0 0 .5rem}
h3{font-size:.95rem;margin:.9rem 0 .2rem}
section,.card{background:#fff;border:1px solid var(--line);border-radius:.75rem;padding:1rem;margin:0 0 1rem}
dl{display:grid;grid-template-columns:minmax(7rem,30%) 1fr;gap:.35rem .9rem;margin:0}
dt{color:#5a5a60}
dd{margin:0;overflow-wrap:anywhere}
ul{margin:0;padding-left:1.2rem}
label{display:block;font-weight:600;margin:.8rem 0 .3rem}
input[type=text],input[type=date],input[type=password],select{width:100%;font:inherit;padding:.65rem .75rem;border:1px solid #7d7d85;border-radius:.5rem;background:#fff}
fieldset{border:0;margin:0;padding:0}
legend{font-weight:600;font-size:1.05rem;padding:0 0 .4rem}
.account{display:flex;gap:.75rem;align-items:flex-start;font-weight:400;margin:0;padding:.7rem 0;border-top:1px solid var(--line)}
.account input{width:1.25rem;height:1.25rem;margin:.15rem 0 0;accent-color:var(--accent);flex:none}
.account small{display:block;color:#5a5a60;overflow-wrap:anywhere}
.actions{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1.25rem}
button{font:inherit;font-weight:600;min-height:2.75rem;padding:.55rem 1.4rem;border-radius:.5rem;border:2px solid var(--accent);cursor:pointer;flex:1 1 9rem}
button{background:var(--accent);color:#fff}
button.quiet{background:#fff;color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.problem{border-left:.3rem solid var(--alarm);background:#fff;padding:.7rem .9rem;margin:0 0 1rem;border-radius:.3rem}
.note{color:#5a5a60;font-size:.9rem}
.status{display:inline-block;border:1px solid var(--line);border-radius:1rem;padding:0 .6rem;font-size:.85rem;background:var(--ground)}
@media (max-width:26rem){dl{grid-template-columns:1fr;gap:.1rem}dd{margin-bottom:.5rem}}
`
}

/** The frame of every page: heading, content, and what the application did on the wire to show it. */

import { type Html, html, type Piece } from '../../html.ts'
import type { Notice } from '../notices.ts'
import type { HttpCall } from '../settings.ts'

export type Frame = { readonly calls: readonly HttpCall[]; readonly notices: readonly Notice[] }

export function layout(title: string, content: Piece, frame: Frame): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Wadi Budget</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<header class="top"><a class="brand" href="/"><span class="mark" aria-hidden="true"></span>Wadi Budget</a>
<span class="tag">sandbox TPP</span></header>
<main>${content}</main>
${whatHappened(frame)}
<footer>Wadi Money is a made-up company of the sandbox. No real bank is behind these pages.
<a href="/reference/" id="reference">API reference</a></footer>
</body>
</html>
`.text
}

/** Method, address, outcome, time and interaction id of each call; tokens and bodies are never noted. */
function whatHappened({ calls, notices }: Frame): Html {
  return html`<details id="calls" class="calls" ${calls.length > 0 ? 'open' : ''}>
<summary>What happened <span class="count">${calls.length} calls</span></summary>
${notices.length === 0 ? '' : html`<ul id="notices" class="plain">${[...notices].reverse().map(told)}</ul>`}
${calls.length === 0 ? html`<p class="quiet">Nothing yet. Every call to a directory, hub or bank is listed here.</p>` : table(calls)}
</details>`
}

/** Events come to this application; everything else is a call that it made. */
const told = (notice: Notice): Html => html`<li class="notice" data-consent="${notice.consentId}"
 data-status="${notice.status}">${new Date(notice.at).toISOString().slice(11, 23)} · ${notice.from} told this application:
${notice.about === 'payment' ? 'a payment under the' : 'the'} consent <span class="id">${notice.consentId}</span> is now <b>${notice.status}</b> <small class="id">${notice.interactionId ?? ''}</small></li>`

const table = (calls: readonly HttpCall[]): Html => html`<div class="scroll"><table>
<thead><tr><th>Time</th><th>Call</th><th>Status</th><th class="num">ms</th><th>x-fapi-interaction-id</th></tr></thead>
<tbody>${[...calls].reverse().map(row)}</tbody></table></div>`

const row = (call: HttpCall): Html => html`<tr class="call">
<td>${new Date(call.at).toISOString().slice(11, 23)}</td>
<td class="url"><b>${call.method}</b> ${call.url}</td>
<td><span class="status ${statusClass(call.status)}">${call.status ?? 'no answer'}</span></td>
<td class="num">${call.milliseconds}</td>
<td class="id">${call.interactionId ?? ''}</td></tr>`

function statusClass(status: number | null): string {
  if (status === null || status >= 500) return 'bad'
  return status >= 400 ? 'warn' : 'good'
}

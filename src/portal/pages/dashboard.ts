import { html } from '../../html.ts'
import type { Page } from '../visit.ts'

export const dashboard: Page = {
  name: 'dashboard',
  path: '/',
  isListed: true,
  show: async ({ rooms: { tenant }, tongue: { words } }) => ({
    body: html`<p>${words.shell.portal}: ${tenant.name}</p>`,
  }),
}

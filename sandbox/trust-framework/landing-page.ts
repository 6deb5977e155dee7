/** The directory's front page, for people: who takes part, and where their documents are. */
import { type Html, html } from '../html.ts'
import type { Directory } from './directory.ts'

export function landingPage(directory: Directory): string {
  const rows = directory.organisations().map((organisation) => {
    const service = directory.services.find((each) => each.organisationId === organisation.OrganisationId)
    const discovery =
      service === undefined ? null : link(`${service.issuer}/.well-known/openid-configuration`, 'discovery')
    const keys = link(`/${organisation.OrganisationId}/application.jwks`, 'keys')
    const cells = [organisation.LegalEntityName, organisation.Size, organisation.Status, organisation.OrganisationId]
    return html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}<td>${discovery} ${keys}</td></tr>\n`
  })
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Sandbox trust framework</title></head>
<body>
<h1>Sandbox trust framework</h1>
<p>The directory that vouches for the participants of this sandbox. For programs: ${link('/participants', '/participants')}.</p>
<table>
<thead><tr><th>Organisation</th><th>Kind</th><th>Status</th><th>Id</th><th>Documents</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
</body>
</html>
`.text
}

const link = (href: string, text: string): Html => html`<a href="${href}">${text}</a>`

/** The directory's front page, for people: who takes part, and where their documents are. */
import type { Directory } from './directory.ts'

export function landingPage(directory: Directory): string {
  const rows = directory.organisations().map((organisation) => {
    const service = directory.services.find((each) => each.organisationId === organisation.OrganisationId)
    const discovery =
      service === undefined ? '' : link(`${service.issuer}/.well-known/openid-configuration`, 'discovery')
    const keys = link(`/${organisation.OrganisationId}/application.jwks`, 'keys')
    const cells = [organisation.LegalEntityName, organisation.Size, organisation.Status, organisation.OrganisationId]
    return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}<td>${discovery} ${keys}</td></tr>`
  })
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Sandbox trust framework</title></head>
<body>
<h1>Sandbox trust framework</h1>
<p>The directory that vouches for the participants of this sandbox. For programs: ${link('/participants', '/participants')}.</p>
<table>
<thead><tr><th>Organisation</th><th>Kind</th><th>Status</th><th>Id</th><th>Documents</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</body>
</html>
`
}

const link = (href: string, text: string): string => `<a href="${escapeHtml(href)}">${escapeHtml(text)}</a>`

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (found) => ENTITIES.get(found) ?? found)

/** The API reference as static pages: no script, no style within elements, nothing from elsewhere. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Html, html, type Piece } from '../html.ts'
import { schemaTable, typeOf } from './bodies.ts'
import {
  followed,
  type Node,
  namedSchemas,
  nodeOf,
  nodesOf,
  type Reference,
  readReferences,
  SIDES,
} from './documents.ts'

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const
export type Pages = ReadonlyMap<string, string>

const STYLE = new URL('./style.css', import.meta.url)

/** By file name; links between pages are relative, so they work from a folder and behind any prefix. */
export function renderReference(): Pages {
  const references = readReferences()
  return new Map([
    ['index.html', indexPage(references)],
    ['style.css', readFileSync(STYLE, 'utf8')],
    ...references.map((reference) => [`${reference.name}.html`, documentPage(reference)] as const),
  ])
}

/** How many files it wrote. */
export function writeReference(folder: string): number {
  mkdirSync(folder, { recursive: true })
  const pages = renderReference()
  for (const [name, text] of pages) writeFileSync(join(folder, name), text)
  return pages.size
}

function indexPage(references: readonly Reference[]): string {
  const sides = (Object.keys(SIDES) as Reference['side'][]).map((side) => {
    const rows = references.filter((each) => each.side === side)
    return html`<section><h2>${SIDES[side]}</h2>\n<ul>\n${rows.map(
      ({ name, title, about, document }) =>
        html`<li><a href="${name}.html">${title}</a> <span class="count">${countOf(document)}</span><br>${prose(about)}</li>\n`,
    )}</ul></section>\n`
  })
  return page('API reference', html`<h1>API reference</h1>\n${sides}`)
}

function countOf(document: Node): string {
  const count = operationsOf(document).length
  return count === 0 ? 'a body' : count === 1 ? '1 operation' : `${count} operations`
}

type Operation = { readonly method: string; readonly path: string; readonly at: Node; readonly operation: Node }

const operationsOf = (document: Node): readonly Operation[] =>
  Object.entries(nodeOf(document['paths'])).flatMap(([path, at]) =>
    METHODS.flatMap((method) => {
      const operation = nodeOf(at)[method]
      return operation === undefined ? [] : [{ method, path, at: nodeOf(at), operation: nodeOf(operation) }]
    }),
  )

/** Between backticks is code. */
const prose = (text: string): Piece =>
  text.split('`').map((part, n) => (n % 2 === 0 ? part : html`<code>${part}</code>`))

function documentPage({ title, about, document }: Reference): string {
  const base = String(nodesOf(document['servers'])[0]?.['url'] ?? '')
  const operations = operationsOf(document)
  const named = namedSchemas(document)
  const contents = operations.map(
    ({ method, path, operation }) =>
      html`<li><a href="#${idOf(operation)}"><code>${method.toUpperCase()} ${path}</code></a> ${String(operation['summary'] ?? '')}</li>\n`,
  )
  return page(
    title,
    html`<p><a href="index.html">API reference</a></p>
<h1>${title}</h1>
<p>${prose(about)}</p>
${base === '' ? null : html`<p>Below <code>${base}</code></p>`}
${contents.length === 0 ? schemaTable(document) : html`<ul class="contents">\n${contents}</ul>`}
${operations.map((each) => operationSection(each, document))}
${named.length === 0 ? null : html`<h2>Objects</h2>`}
${named.map(([name, schema]) => html`<section id="schema-${name}"><h3>${name}</h3>\n<p>${typeOf(schema)}. ${String(nodeOf(schema)['description'] ?? '')}</p>\n${schemaTable(schema)}</section>\n`)}`,
  )
}

const idOf = (operation: Node): string => String(operation['operationId'])

function operationSection({ method, path, at, operation }: Operation, document: Node): Html {
  const parameters = [...nodesOf(at['parameters']), ...nodesOf(operation['parameters'])]
  const body = followed(document, operation['requestBody'])
  const answers = Object.entries(nodeOf(operation['responses']))
  return html`<section class="operation" id="${idOf(operation)}">
<h2><code>${method.toUpperCase()} ${path}</code></h2>
<p>${String(operation['summary'] ?? '')} <span class="count">${idOf(operation)}</span></p>
${securityOf(operation)}
${parameters.length === 0 ? null : parameterTable(parameters.map((each) => followed(document, each)))}
${body['content'] === undefined ? null : html`<h3>Body${body['required'] === true ? '' : ', optional'}</h3>\n${contentOf(body['content'])}`}
<h3>Answers</h3>
<table><thead><tr><th scope="col">Status</th><th scope="col">When</th><th scope="col">Body</th></tr></thead>
<tbody>
${answers.map(([status, answer]) => {
  const { description, content } = followed(document, answer)
  return html`<tr><th scope="row">${status}</th><td>${String(description ?? '')}</td><td>${content === undefined ? 'none' : contentOf(content)}</td></tr>\n`
})}</tbody></table>
</section>\n`
}

/** What a caller shows, by the names that the documents give it. */
const SHOWN: Readonly<Record<string, string>> = {
  userToken: 'Access token of a customer’s consent',
  clientToken: 'Access token of the application',
  accessToken: 'Access token of the application',
  clientCertificate: 'The client certificate alone',
}

function securityOf(operation: Node): Piece {
  return nodesOf(operation['security']).flatMap((each) =>
    Object.entries(each).map(([name, listed]) => {
      const scopes = [listed].flat().map(String).join(' ')
      return html`<p>${SHOWN[name] ?? name}${scopes === '' ? null : html`, scope <code>${scopes}</code>`}</p>\n`
    }),
  )
}

function parameterTable(parameters: readonly Node[]): Html {
  const rows = parameters.map(
    ({ name, in: place, required, schema, description }) =>
      html`<tr><th scope="row"><code>${String(name)}</code>${required === true ? html` <span class="required">required</span>` : null}</th>
<td>${String(place)}</td><td>${typeOf(schema)}</td><td>${String(description ?? '')}</td></tr>\n`,
  )
  return html`<h3>Parameters</h3>
<table><thead><tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
<tbody>
${rows}</tbody></table>`
}

/** Media types that hold the same are told together. */
function contentOf(content: unknown): Html {
  const bySchema = new Map<string, { readonly types: string[]; readonly schema: unknown }>()
  for (const [type, { schema }] of Object.entries(nodeOf(content)).map(
    ([type, each]) => [type, nodeOf(each)] as const,
  )) {
    const key = JSON.stringify(schema) ?? ''
    const known = bySchema.get(key)
    if (known === undefined) bySchema.set(key, { types: [type], schema })
    else known.types.push(type)
  }
  return html`${[...bySchema.values()].map(({ types, schema }) => {
    const signed = types.some((type) => type.startsWith('application/jwt'))
    return html`<p><code>${types.join(', ')}</code>: ${schema === undefined ? (signed ? 'the JSON body as a signed message' : 'any') : typeOf(schema)}</p>\n${nodeOf(schema)['$ref'] === undefined ? schemaTable(schema) : null}`
  })}`
}

const page = (title: string, content: Html): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="style.css">
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`.text

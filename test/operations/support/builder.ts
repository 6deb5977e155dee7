/**
 * Podman under the name of Docker, if this machine has one that works, with a place of its own for images: those of
 * the machine are neither seen nor changed. No registry is asked either: the images that the Dockerfile starts from are
 * put together from programs of this machine.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { layBase, layNode } from './base-images.ts'

export type Builder = {
  /** In which `docker` is found. */
  readonly env: NodeJS.ProcessEnv
  /** What it printed. */
  docker(...args: readonly string[]): string
  close(): void
}

/** Or why there is none. */
export function findBuilder(): Builder | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux is given containers here'
  if (!has('podman')) return 'no Podman on this machine'
  const builder = podmanIn(mkdtempSync(join(tmpdir(), 'falaj-builder-')))
  try {
    builder.docker('run', '--rm', '--network', 'host', '--read-only', 'falaj-probe', 'true')
    return builder
  } catch (thrown) {
    builder.close()
    const said = (thrown as { readonly stderr?: string }).stderr?.trim().split('\n').at(-1)
    return `Podman cannot run a container on this machine: ${said ?? (thrown as Error).message}`
  }
}

/** Under the names that the Dockerfile has for them. */
export function makeBaseImages({ docker }: Builder, images: { readonly node: string; readonly base: string }): void {
  makeImage(docker, images.base, layBase)
  makeImage(docker, images.node, (root) => {
    layBase(root)
    return layNode(root)
  })
}

function podmanIn(home: string): Builder {
  const put = (name: string, lines: readonly string[]): string => {
    writeFileSync(join(home, name), `${lines.join('\n')}\n`)
    return join(home, name)
  }
  mkdirSync(join(home, 'bin'))
  chmodSync(put('bin/docker', ['#!/bin/sh', 'exec podman "$@"']), 0o755)
  const env: NodeJS.ProcessEnv = {
    PATH: [join(home, 'bin'), process.env['PATH']].join(delimiter),
    HOME: home,
    CONTAINERS_CONF: put('containers.conf', [
      '[containers]',
      // Ours may be less than what it would ask for, and not ours to raise.
      'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]',
      'netns = "host"',
      '[engine]',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "file"',
      // The other one refuses a machine that has control groups of both versions.
      ...(has('runc') ? ['runtime = "runc"'] : []),
    ]),
    CONTAINERS_STORAGE_CONF: put('storage.conf', [
      '[storage]',
      'driver = "overlay"',
      `graphroot = "${home}/images"`,
      `runroot = "${home}/run"`,
    ]),
  }
  const docker = (...args: readonly string[]): string =>
    execFileSync(join(home, 'bin/docker'), args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  makeImage(docker, 'falaj-probe', layBase)
  return {
    env,
    docker,
    close: () => {
      // It undoes its mounts; what is left are files.
      docker('rm', '--all', '--force', '--time', '0')
      docker('rmi', '--all', '--force')
      rmSync(home, { recursive: true, force: true })
    },
  }
}

function makeImage(docker: Builder['docker'], name: string, lay: (root: string) => readonly string[]): void {
  const place = mkdtempSync(join(tmpdir(), 'falaj-base-'))
  try {
    const [root, archive] = [join(place, 'root'), join(place, 'root.tar')]
    mkdirSync(root)
    const environment = ['PATH=/usr/local/bin:/usr/bin:/bin', ...lay(root)].flatMap((each) => [
      '--change',
      `ENV ${each}`,
    ])
    execFileSync('tar', ['-c', '-f', archive, '-C', root, '.'])
    docker('import', ...environment, archive, name)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

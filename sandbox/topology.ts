/** Where everything of the sandbox is: one base port, fixed offsets, one data folder. */
import { join, resolve } from 'node:path'
import { LFI_CODES, LFIS, type LfiCode } from './trust-framework/ecosystem.ts'

export const DEFAULT_BASE_PORT = 8440
export const HUB_LISTENERS = ['auth', 'as', 'rs', 'hh', 'cm', 'admin', 'portal'] as const
export type HubListener = (typeof HUB_LISTENERS)[number]

export type Topology = {
  readonly dataDir: string
  readonly ports: {
    readonly edge: number
    readonly postgres: number
    readonly directory: number
    readonly directoryApi: number
    readonly openId: number
    readonly tpp: number
    /** Left free, for the webhook receiver of whoever tries one. */
    readonly ownWebhooks: number
    readonly hubs: Readonly<Record<LfiCode, Readonly<Record<HubListener, number>>>>
    readonly banks: Readonly<Record<LfiCode, { readonly ozoneConnect: number; readonly pages: number }>>
  }
  readonly urls: {
    readonly edge: string
    readonly directory: string
    readonly directoryApi: string
    readonly openId: string
    readonly tpp: string
    readonly ownWebhooks: string
    readonly hubs: Readonly<Record<LfiCode, Readonly<Record<HubListener, string>>>>
    readonly banks: Readonly<
      Record<LfiCode, { readonly ozoneConnect: string; readonly pages: string; readonly public: string }>
    >
  }
}

const HUB_OFFSET = { aurora: 20, meridian: 30 } as const satisfies Record<LfiCode, number>
const BANK_OFFSET = { aurora: 40, meridian: 50 } as const satisfies Record<LfiCode, number>

export function topology(options: { readonly dataDir: string; readonly basePort: number }): Topology {
  const at = (offset: number) => options.basePort + offset
  const url = (port: number) => `https://localhost:${port}`
  const perLfi = <T>(make: (code: LfiCode) => T) =>
    Object.fromEntries(LFI_CODES.map((code) => [code, make(code)])) as Record<LfiCode, T>
  const ports: Topology['ports'] = {
    edge: at(3),
    postgres: at(5),
    directory: at(10),
    directoryApi: at(11),
    openId: at(12),
    tpp: at(60),
    ownWebhooks: at(61),
    hubs: perLfi((code) => {
      const listeners = HUB_LISTENERS.map((listener, index) => [listener, at(HUB_OFFSET[code] + index)])
      return Object.fromEntries(listeners) as Record<HubListener, number>
    }),
    banks: perLfi((code) => ({ ozoneConnect: at(BANK_OFFSET[code]), pages: at(BANK_OFFSET[code] + 1) })),
  }
  return {
    dataDir: resolve(options.dataDir),
    ports,
    urls: {
      edge: url(ports.edge),
      directory: url(ports.directory),
      directoryApi: url(ports.directoryApi),
      openId: url(ports.openId),
      tpp: url(ports.tpp),
      ownWebhooks: `${url(ports.ownWebhooks)}/webhooks`,
      hubs: perLfi((code) => {
        const listeners = HUB_LISTENERS.map((listener) => [listener, url(ports.hubs[code][listener])])
        return Object.fromEntries(listeners) as Record<HubListener, string>
      }),
      banks: perLfi((code) => ({
        ozoneConnect: url(ports.banks[code].ozoneConnect),
        pages: url(ports.banks[code].pages),
        public: `${url(ports.edge)}/banks/${code}`,
      })),
    },
  }
}

/** Every port with its owner, so that a clash can be told in words. */
export function allPorts({ ports }: Topology): readonly { readonly port: number; readonly owner: string }[] {
  return [
    { port: ports.edge, owner: 'edge (the page you open)' },
    { port: ports.postgres, owner: 'PostgreSQL' },
    { port: ports.directory, owner: 'trust framework' },
    { port: ports.directoryApi, owner: 'trust framework API' },
    { port: ports.openId, owner: 'trust framework, logins of people' },
    { port: ports.tpp, owner: 'TPP' },
    ...LFI_CODES.flatMap((code) => [
      ...HUB_LISTENERS.map((listener) => ({
        port: ports.hubs[code][listener],
        owner: `hub of ${LFIS[code].friendlyName}, ${listener}`,
      })),
      { port: ports.banks[code].ozoneConnect, owner: `${LFIS[code].friendlyName}, Ozone Connect` },
      { port: ports.banks[code].pages, owner: `${LFIS[code].friendlyName}, pages` },
    ]),
  ]
}

export const folderOf = (topology: Topology, ...names: readonly string[]): string => join(topology.dataDir, ...names)

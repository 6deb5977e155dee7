/** A real browser for the tests that need one, if this machine has it. */
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/** Path of the browser, or null: the suite then skips itself and says so. */
export function findChromium(): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const usual = [...folders, '/usr/bin', '/usr/local/bin', '/snap/bin'].flatMap((folder) =>
    NAMES.map((name) => join(folder, name)),
  )
  const named = process.env['CHROMIUM']
  return [...(named === undefined ? [] : [named]), ...usual, ...PLACES].find(executable) ?? null
}

function executable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export type Chromium = {
  /** A context of its own: cookies and script settings are not shared. */
  context(options?: BrowserContextOptions): Promise<BrowserContext>
  close(): Promise<void>
}

/** Quiet and offline: no updates, no syncing, nothing but what the test opens. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export async function startChromium(executablePath: string): Promise<Chromium> {
  // Also the browser's HOME: it leaves no trace on the machine, and reads no one's settings.
  const home = mkdtempSync(join(tmpdir(), 'falaj-chromium-'))
  const browser = await chromium.launch({
    executablePath,
    headless: true,
    args: FLAGS,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
  })
  return {
    // The sandbox's authority is made anew for each test run, and no browser knows it.
    context: (options = {}) => browser.newContext({ ignoreHTTPSErrors: true, ...options }),
    close: async () => {
      await browser.close()
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

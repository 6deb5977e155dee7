/** The consent manager: how the LFI reads and decides the consents of its users (lfi-api 2). */
export { type ConsentManagerDeps, createConsentManager } from './server.ts'

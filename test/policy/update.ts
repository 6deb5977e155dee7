/** `npm run licences`: writes the list of third parties anew. */
import { writeFileSync } from 'node:fs'
import { thirdParty } from './packages.ts'

writeFileSync('THIRD-PARTY.md', thirdParty())

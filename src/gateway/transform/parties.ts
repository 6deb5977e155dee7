import { decimalText, postalAddress } from './common.ts'
import { casing, listOf, type Members, object, same } from './shape.ts'

const assurance = object({
  ...casing('policy', 'procedure'),
  assuranceDetails: [
    'AssuranceDetails',
    listOf(
      object({
        ...casing('assuranceType', 'assuranceClassification'),
        evidenceRef: [
          'EvidenceRef',
          listOf(
            object({
              ...casing('txn'),
              evidenceMetadata: ['EvidenceMetadata', object(casing('evidenceClassification'))],
            }),
          ),
        ],
      }),
    ),
  ],
})

const issuer = object({
  ...casing('name'),
  address: ['Address', postalAddress],
  countryCode: ['CountryCode', object(same('CountryCode'))],
  ...casing('jurisdiction'),
})
const document = object({
  ...casing('type', 'documentNumber', 'personalNumber', 'serialNumber', 'calendarType'),
  ...casing('dateOfIssuance', 'dateOfExpiry'),
  issuer: ['Issuer', issuer],
})
const record = object({
  ...casing('type', 'personalNumber', 'calendarType', 'createdAt', 'dateOfExpiry'),
  source: ['Source', issuer],
})
/** A document or an electronic record; a member that its kind does not have is the schema's to name. */
const evidence = object({
  ...casing('type'),
  checkDetails: ['CheckDetails', listOf(object(casing('checkMethod', 'organization', 'txn', 'time')))],
  verifier: ['Verifier', object(casing('organization', 'txn'))],
  ...casing('time'),
  documentDetails: ['DocumentDetails', document],
  record: ['Record', record],
  attachments: [
    'Attachments',
    object({
      AEPartyIdentityEvidenceAttachments: [
        'AEPartyIdentityEvidenceAttachments',
        listOf(object(casing('desc', 'contentType', 'content', 'txn'))),
      ],
    }),
  ],
})
const verification = object({
  ...casing('trustFramework', 'assuranceLevel'),
  assuranceProcess: ['AssuranceProcess', assurance],
  ...casing('time', 'verificationProcess'),
  evidence: ['Evidence', evidence],
})

/** A person's and a business's claims together; `identityType` tells which they are. */
const claims = object({
  ...casing('identityType', 'fullName', 'givenName'),
  familyName: 'Surname',
  ...casing('middleName', 'nickname', 'emiratesId', 'emiratesIdExpiryDate'),
  birthDate: 'DateOfBirth',
  ...casing('sourceOfIncome'),
  salary: ['Salary', decimalText],
  ...casing('nationality'),
  residentialAddress: ['ResidentialAddress', postalAddress],
  ...casing('mobileNumber', 'email', 'maritalStatus', 'salutation', 'language', 'employerName', 'employmentSinceDate'),
  ...casing('powerofAttorney', 'salaryTransfer', 'profession', 'updatedAt'),
  ...casing('businessName', 'tradeLicenceNumber', 'taxIdentificationNumber', 'dateOfIncorporation'),
  ...casing('countryOfIncorporation'),
  corporateAddress: ['CorporateAddress', postalAddress],
  ...casing('corporateContactEmail', 'corporateContactPhoneNumber', 'industry', 'companyWebsite'),
})
const verifiedClaims = listOf(object({ verification: ['Verification', verification], claims: ['Claims', claims] }))

/** The user of the consent. */
export const party: Members = {
  id: 'PartyId',
  number: 'PartyNumber',
  customerCategory: 'PartyCategory',
  verifiedClaims: ['VerifiedClaims', verifiedClaims],
}
/** Somebody who has to do with one account. */
export const accountParty: Members = {
  id: 'PartyId',
  number: 'PartyNumber',
  customerType: 'PartyType',
  customerCategory: 'PartyCategory',
  ...casing('accountRole'),
  verifiedClaims: ['VerifiedClaims', verifiedClaims],
}

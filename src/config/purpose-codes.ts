/**
 * Purposes of payments in common use in the Emirates. The list of the instant payment scheme is referred to and not
 * published with the contract (tpp-api 10, row 52), so a tenant may have another.
 */
export const PURPOSE_CODES: readonly string[] = [
  'ACM AES AFA AFL ALW ATS BON CCP CEA CEL CHC CIN COM COP CRP DCP DIF DIL DIV DLA DLF DLL DOE DSA',
  'DSF DSL EDU EMI EOS FAM FDA FDL FIA FIL FIS FSA FSL GDE GDI GDS GMS GOS GRI IFS IGD IGT IID INS',
  'IOD IOL IPC IPO IRP IRW ISH ISL ISS ITS LAS LDL LDS LEA LEL LIP LLA LLL LNC LND MCR MWI MWO MWP',
  'OAT OTS OVT PEN PIN PIP PMS POR POS PPA PPL PRP PRR PRS PRW RDA RDL RDS REA REL RES RFS RLS RNT',
  'SAA SAL SCO SLA SLL STR STS SVI SVO SVP TAX TCP TCR TCS TKT TOF TTS UFP UTL XAT',
].flatMap((line) => line.split(' '))

/** The stories that both banks tell, each with its own people and figures. */
import { aed, type Fils } from './money.ts'
import { FAMILY_ABROAD, LANDLORD, NEW_PAYEE, own, SISTER } from './payees.ts'
import type { AccountSpec, BusinessSpec, Habit, Holder, PersonSpec, UserSpec } from './spec.ts'

export type Actor = { readonly username: string; readonly person: PersonSpec }

export type Cast = {
  /** Thousands of the user numbers: 1 gives u-1001, acc-1001-01 and so on. */
  readonly thousand: number
  readonly products: '' | 'sharia-'
  readonly plain: Actor
  readonly joint: readonly [Actor, Actor]
  readonly trader: Actor & { readonly business: BusinessSpec }
  readonly newcomer: Actor
  readonly busy: Actor
  readonly frozen: Actor
  readonly borrower: Actor
  readonly tester: Actor
  /** Everyday sums in whole dirhams. */
  readonly figures: { readonly salary: number; readonly rent: number; readonly saving: number; readonly home: number }
}

export type Story = { readonly users: readonly UserSpec[]; readonly accounts: readonly AccountSpec[] }

export function tell(cast: Cast): Story {
  const parts = [plain, joint, trader, newcomer, busy, frozen, borrower, tester].map((story) => story(cast))
  return { users: parts.flatMap(({ users }) => users), accounts: parts.flatMap(({ accounts }) => accounts) }
}

/** Accounts of the tester whose name says how the bank misbehaves on them; see ozone-connect/faults.ts. */
export const TESTER_ACCOUNTS = ['plain', 'slow', 'error', 'recoverable', 'invalid', 'drop', 'busy'] as const

const userNumber = (cast: Cast, n: number): number => cast.thousand * 1000 + n
const user = (cast: Cast, n: number, actor: Actor & { readonly business?: BusinessSpec }, story: string): UserSpec => ({
  userId: `u-${userNumber(cast, n)}`,
  username: actor.username,
  password: `${actor.username}-2468`,
  story,
  person: actor.person,
  ...(actor.business === undefined ? {} : { business: actor.business }),
})
const accountId = (cast: Cast, n: number, suffix: string): string => `acc-${userNumber(cast, n)}-${suffix}`
const sole = (cast: Cast, n: number): readonly Holder[] => [
  { userId: `u-${userNumber(cast, n)}`, party: 'Sole', role: 'Principal' },
]

type Part = Pick<AccountSpec, 'subType' | 'nickname' | 'opening'> & Partial<AccountSpec>

function account(cast: Cast, n: number, index: number, part: Part): AccountSpec {
  return {
    id: accountId(cast, n, String(index).padStart(2, '0')),
    number: `${userNumber(cast, n)}${String(index).padStart(3, '0')}`,
    holders: sole(cast, n),
    type: 'Retail',
    description: DESCRIPTION[part.subType],
    status: 'Active',
    currency: 'AED',
    openedDaysAgo: 1_400 + n * 3,
    product: `${cast.products}${PRODUCT[part.subType]}`,
    payees: [],
    habits: [],
    scheduled: [],
    ...part,
  }
}

const DESCRIPTION = {
  CurrentAccount: 'Current account',
  Savings: 'Savings account',
  CreditCard: 'Credit card',
  Mortgage: 'Home finance',
  Finance: 'Personal finance',
} as const
const PRODUCT = {
  CurrentAccount: 'current',
  Savings: 'savings',
  CreditCard: 'card',
  Mortgage: 'mortgage',
  Finance: 'finance',
} as const

const order = (
  mandate: string,
  payee: string,
  day: number,
  fils: Fils,
  kind: 'standing-order' | 'own-transfer' | 'instalment',
  purpose: string,
): Habit => ({
  does: 'standing-order',
  mandate,
  payee,
  day,
  fils,
  kind,
  purpose,
  orderType: kind === 'standing-order' ? 'LocalBankTransfer' : 'BetweenMyAccounts',
})

function plain(cast: Cast): Story {
  const [n, { salary, rent, saving }] = [1, cast.figures]
  const [current, savings, card] = ['01', '02', '03'].map((suffix) => accountId(cast, n, suffix)) as [
    string,
    string,
    string,
  ]
  return {
    users: [user(cast, n, cast.plain, 'Salaried customer with a current account, savings and a credit card.')],
    accounts: [
      account(cast, n, 1, {
        subType: 'CurrentAccount',
        nickname: 'Everyday',
        opening: aed(12_400.35),
        payees: [LANDLORD, own('savings', 'Rainy day', savings), SISTER, FAMILY_ABROAD, NEW_PAYEE],
        scheduled: [
          { payee: 'sister', inDays: 6, fils: aed(300), reference: 'Birthday' },
          { payee: 'landlord', inDays: 19, fils: aed(850), reference: 'Parking year' },
        ],
        habits: [
          { does: 'earn', from: cast.plain.person.employer, day: 25, fils: aed(salary) },
          order('rent', 'landlord', 1, aed(rent), 'standing-order', 'Rent'),
          order('save', 'savings', 27, aed(saving), 'own-transfer', 'Savings'),
          { does: 'direct-debit', mandate: 'power', biller: 'power', day: 12, min: aed(380), max: aed(720) },
          { does: 'pay-bills', biller: 'phone', day: 15, min: aed(250), max: aed(350) },
          { does: 'remit', payee: 'family', day: 28, fils: aed(1_200), currency: 'INR' },
          { does: 'spend', perMonth: 16, min: aed(9), max: aed(260) },
          { does: 'withdraw', perMonth: 2, min: aed(200), max: aed(500) },
          { does: 'mirror', account: card, mandate: card },
          { does: 'pending', count: 2, status: 'Pending' },
          { does: 'pending', count: 1, status: 'Rejected' },
        ],
      }),
      account(cast, n, 2, {
        subType: 'Savings',
        nickname: 'Rainy day',
        opening: aed(20_000),
        habits: [
          { does: 'mirror', account: current, mandate: 'save' },
          { does: 'return', day: 28, min: aed(35), max: aed(95) },
        ],
      }),
      account(cast, n, 3, {
        subType: 'CreditCard',
        nickname: 'Travel card',
        opening: -aed(2_150.4),
        creditLimit: aed(30_000),
        habits: [
          { does: 'spend', perMonth: 11, min: aed(18), max: aed(390) },
          { does: 'shop-abroad', perMonth: 1, currency: 'EUR', min: aed(120), max: aed(640) },
          { does: 'settle-card', day: 20, from: current },
          { does: 'pending', count: 1, status: 'Pending' },
        ],
      }),
    ],
  }
}

function joint(cast: Cast): Story {
  const [first, second] = cast.joint
  const holders: readonly Holder[] = [
    { userId: `u-${userNumber(cast, 2)}`, party: 'Joint', role: 'Principal' },
    { userId: `u-${userNumber(cast, 3)}`, party: 'Joint', role: 'SecondaryOwner' },
  ]
  const shared = accountId(cast, 2, '01')
  return {
    users: [
      user(cast, 2, first, 'First holder of a joint account, with savings of their own beside it.'),
      user(cast, 3, second, 'Second holder of the same joint account and of nothing else; the name is kept in Arabic.'),
    ],
    accounts: [
      account(cast, 2, 1, {
        subType: 'CurrentAccount',
        nickname: 'Household',
        holders,
        opening: aed(31_800),
        payees: [LANDLORD, own('savings', 'Holidays', accountId(cast, 2, '02'))],
        scheduled: [{ payee: 'landlord', inDays: 11, fils: aed(1_000), reference: 'Deposit' }],
        habits: [
          { does: 'earn', from: first.person.employer, day: 24, fils: aed(first.person.salary) },
          { does: 'earn', from: second.person.employer, day: 26, fils: aed(second.person.salary) },
          order('rent', 'landlord', 2, aed(cast.figures.rent + 2_500), 'standing-order', 'Rent'),
          order('holidays', 'savings', 28, aed(900), 'own-transfer', 'Holidays'),
          { does: 'direct-debit', mandate: 'school', biller: 'school', day: 5, min: aed(3_100), max: aed(3_100) },
          { does: 'direct-debit', mandate: 'cooling', biller: 'cooling', day: 14, min: aed(240), max: aed(560) },
          { does: 'spend', perMonth: 24, min: aed(12), max: aed(310) },
          { does: 'pending', count: 1, status: 'Pending' },
        ],
      }),
      account(cast, 2, 2, {
        subType: 'Savings',
        nickname: 'Holidays',
        opening: aed(6_000),
        habits: [
          { does: 'mirror', account: shared, mandate: 'holidays' },
          { does: 'return', day: 28, min: aed(8), max: aed(22) },
        ],
      }),
    ],
  }
}

function trader(cast: Cast): Story {
  const n = 4
  const [current, finance] = [accountId(cast, n, '01'), accountId(cast, n, '02')]
  const holders: readonly Holder[] = [{ userId: `u-${userNumber(cast, n)}`, party: 'Delegate', role: 'Administrator' }]
  return {
    users: [user(cast, n, cast.trader, 'Acts for a small firm: a business current account and business finance.')],
    accounts: [
      account(cast, n, 1, {
        subType: 'CurrentAccount',
        type: 'SME',
        holders,
        nickname: 'Trading',
        description: 'Business current account',
        product: `${cast.products}business`,
        opening: aed(84_250.75),
        payees: [LANDLORD, own('finance', 'Van finance', finance), NEW_PAYEE],
        scheduled: [{ payee: 'landlord', inDays: 3, fils: aed(12_000), reference: 'Warehouse quarter' }],
        habits: [
          { does: 'sell', perMonth: 22, min: aed(450), max: aed(6_900) },
          order('van', 'finance', 5, aed(2_450), 'instalment', 'Van finance'),
          order('warehouse', 'landlord', 3, aed(9_500), 'standing-order', 'Warehouse rent'),
          { does: 'direct-debit', mandate: 'phone', biller: 'phone', day: 9, min: aed(420), max: aed(690) },
          { does: 'pay-bills', biller: 'power', day: 13, min: aed(900), max: aed(2_100) },
          { does: 'spend', perMonth: 25, min: aed(150), max: aed(4_800) },
          { does: 'fee', day: 28, fils: aed(75), text: 'Account fee' },
        ],
      }),
      account(cast, n, 2, {
        subType: 'Finance',
        type: 'SME',
        holders,
        nickname: 'Van finance',
        description: 'Business finance',
        opening: -aed(78_000),
        habits: [
          { does: 'charge', day: 1, fils: aed(310) },
          { does: 'mirror', account: current, mandate: 'van' },
        ],
      }),
    ],
  }
}

function newcomer(cast: Cast): Story {
  return {
    users: [user(cast, 5, cast.newcomer, 'Opened an account last week and has not used it: every list is empty.')],
    accounts: [account(cast, 5, 1, { subType: 'CurrentAccount', nickname: 'New', opening: 0, openedDaysAgo: 9 })],
  }
}

function busy(cast: Cast): Story {
  return {
    users: [user(cast, 6, cast.busy, 'Has exactly 10,000 transactions on one account, for paging.')],
    accounts: [
      account(cast, 6, 1, {
        subType: 'CurrentAccount',
        nickname: 'Food cart',
        opening: aed(25_000),
        habits: [{ does: 'stream', count: 10_000 }],
      }),
    ],
  }
}

function frozen(cast: Cast): Story {
  const life: readonly Habit[] = [
    { does: 'earn', from: cast.frozen.person.employer, day: 25, fils: aed(11_000) },
    { does: 'spend', perMonth: 24, min: aed(20), max: aed(880) },
  ]
  return {
    users: [user(cast, 7, cast.frozen, 'One account is frozen (403 once shared), one is open, one is closed.')],
    accounts: [
      account(cast, 7, 1, {
        subType: 'CurrentAccount',
        nickname: 'Frozen',
        opening: aed(19_100),
        status: 'Suspended',
        habits: life,
      }),
      account(cast, 7, 2, {
        subType: 'Savings',
        nickname: 'Open savings',
        opening: aed(15_500),
        habits: [{ does: 'return', day: 28, min: aed(20), max: aed(40) }],
      }),
      account(cast, 7, 3, { subType: 'CurrentAccount', nickname: 'Closed', opening: 0, status: 'Closed' }),
    ],
  }
}

function borrower(cast: Cast): Story {
  const n = 8
  const [current, home, car] = ['01', '02', '03'].map((suffix) => accountId(cast, n, suffix)) as [
    string,
    string,
    string,
  ]
  return {
    users: [user(cast, n, cast.borrower, 'Pays off a home and a car from one current account.')],
    accounts: [
      account(cast, n, 1, {
        subType: 'CurrentAccount',
        nickname: 'Main',
        // Without the overdraft, which the Islamic bank does not offer, the start must be higher.
        opening: aed(cast.products === '' ? 16_000 : 42_000),
        ...(cast.products === '' ? { creditLimit: aed(10_000) } : {}),
        payees: [own('home', 'Home finance', home), own('car', 'Car finance', car)],
        habits: [
          {
            does: 'earn',
            from: cast.borrower.person.employer,
            day: 25,
            fils: aed(cast.borrower.person.salary),
          },
          order('home', 'home', 5, aed(cast.figures.home), 'instalment', 'Home finance'),
          order('car', 'car', 6, aed(3_100), 'instalment', 'Car finance'),
          { does: 'direct-debit', mandate: 'power', biller: 'power', day: 12, min: aed(500), max: aed(900) },
          { does: 'pay-bills', biller: 'toll', day: 18, min: aed(100), max: aed(200) },
          { does: 'spend', perMonth: 20, min: aed(25), max: aed(700) },
        ],
      }),
      account(cast, n, 2, {
        subType: 'Mortgage',
        nickname: 'Home finance',
        opening: -aed(980_000),
        habits: [
          { does: 'charge', day: 1, fils: aed(4_050) },
          { does: 'mirror', account: current, mandate: 'home' },
        ],
      }),
      account(cast, n, 3, {
        subType: 'Finance',
        nickname: 'Car finance',
        opening: -aed(86_000),
        habits: [
          { does: 'charge', day: 1, fils: aed(330) },
          { does: 'mirror', account: current, mandate: 'car' },
        ],
      }),
    ],
  }
}

function tester(cast: Cast): Story {
  const n = 900
  return {
    users: [
      user(cast, n, cast.tester, 'For developers: each account makes the bank misbehave in the way that its id names.'),
    ],
    accounts: TESTER_ACCOUNTS.map((name, index) =>
      account(cast, n, index + 1, {
        id: accountId(cast, n, name),
        subType: 'CurrentAccount',
        nickname: `Tester ${name}`,
        opening: aed(5_000),
        habits: [
          { does: 'earn', from: cast.tester.person.employer, day: 25, fils: aed(2_000) },
          { does: 'spend', perMonth: 9, min: aed(20), max: aed(300) },
        ],
      }),
    ),
  }
}

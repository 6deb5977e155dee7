/** Who works at the bank: not a customer, and no customer may do what this login can. */
export type Staff = { readonly username: string; readonly password: string }

export const STAFF: Staff = { username: 'staff', password: 'staff-2468' }

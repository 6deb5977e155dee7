export const account = {
  loggedInAs: 'Logged in as',
  roles: 'Your roles',
  until: 'This session ends at',
  everywhere: 'Ends every session of yours, in every browser, this one included.',
}

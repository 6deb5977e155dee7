export const people = {
  why: 'Who somebody is and which roles they have, the trust framework says. Here you see who is logged in, and what each role may do.',
  sessions: 'Logged in now',
  name: 'Name',
  roles: 'Roles',
  began: 'Since',
  seen: 'Last request',
  expires: 'Ends at',
  yours: 'this session',
  rights: 'What each role may do',
  right: 'Page or act',
}

import { html } from '../html.ts'

/** Plain on purpose: it stands for whatever the real trust framework shows. */
export function loginPage(action: string, isWrong: boolean): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in · Sandbox trust framework</title>
</head>
<body>
<main>
<h1>Sandbox trust framework</h1>
<p>Log in as a person of one of the organisations of this sandbox.</p>
${isWrong && html`<p role="alert">Name or password is wrong, or there were too many attempts.</p>`}
<form method="post" action="${action}">
<p><label for="username">Name</label><br><input id="username" name="username" autocomplete="username" required></p>
<p><label for="password">Password</label><br><input id="password" name="password" type="password" autocomplete="current-password" required></p>
<p><button id="enter">Log in</button></p>
</form>
</main>
</body>
</html>
`.text
}

// Where a screen has its token: a cookie that scripts cannot read, or the header of another client. Used by routes.ts and page-server.ts.

import type { HttpRequest } from 'uWebSockets.js';

/** The longest age that browsers grant. Each load of the page renews the cookie. */
const MAX_AGE_S = 400 * 24 * 3_600;

/** Cookies know no ports: two displays on one host would overwrite each other's. */
function cookieName(port: number): string {
  return `ordermesh_screen_${port}`;
}

/** The token of a request; empty if it has none. */
export function tokenOf(request: HttpRequest, port: number): string {
  const bearer = /^Bearer +(\S+)$/i.exec(request.getHeader('authorization'))?.[1];
  if (bearer !== undefined) return bearer;
  const name = `${cookieName(port)}=`;
  const cookies = request.getHeader('cookie').split(';');
  return (
    cookies
      .map((cookie) => cookie.trim())
      .find((cookie) => cookie.startsWith(name))
      ?.slice(name.length) ?? ''
  );
}

/** The value of Set-Cookie. @param isSecure whether the page came by HTTPS */
export function cookieFor(token: string, port: number, isSecure: boolean): string {
  const attributes = ['Path=/', 'HttpOnly', 'SameSite=Strict', `Max-Age=${MAX_AGE_S}`, ...(isSecure ? ['Secure'] : [])];
  return `${cookieName(port)}=${token}; ${attributes.join('; ')}`;
}

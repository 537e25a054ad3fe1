// Short messages: errors for the crew to see, and announcements for screen readers. Used by both pages and crew-command.ts.

import { element, find, icon } from './dom.ts';

const SHOWN_MS = 7_000;
const SHOWN_MAX = 3;

/** An error that the crew must see; read out at once by screen readers (the container is an alert). */
export function showError(message: string): void {
  const container = find('toasts');
  const toast = element('div', { class: 'toast' }, icon('warning'), element('p', {}, message));
  container.append(toast);
  while (container.childElementCount > SHOWN_MAX) container.firstElementChild?.remove();
  setTimeout(() => toast.remove(), SHOWN_MS);
}

const announcements: string[] = [];

/** Lets screen readers announce new tickets, once a second and together, so that a rush is not a stream of announcements. */
export function announce(text: string): void {
  announcements.push(text);
  if (announcements.length > 1) return;
  setTimeout(() => {
    const all = announcements.splice(0);
    const rest = all.length - 3;
    find('announcer').textContent = all.slice(0, 3).join('. ') + (rest > 0 ? `. And ${rest} more` : '');
  }, 1_000);
}

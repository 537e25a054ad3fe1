// Where admitted screens and open codes are kept. The display keeps them in PostgreSQL, the agent of a restaurant in a file.

import type { AdmittedScreen, NewPairing, Pairing } from '../../store/index.ts';

export type { AdmittedScreen, NewPairing, Pairing };

/** Every call rejects when the register does not answer. */
export interface ScreenRegister {
  /** The screen with this token, unless it was revoked or has expired. */
  find(tokenHash: Buffer): Promise<AdmittedScreen | undefined>;
  /** Which of these screens are still admitted. Their admission is renewed. */
  renew(screenIds: string[]): Promise<ReadonlySet<string>>;
  /** The open code of the page with this token. */
  pairingOf(tokenHash: Buffer): Promise<Pairing | undefined>;
  openPairing(pairing: NewPairing): Promise<Pairing | 'full' | 'taken'>;
  close(): Promise<void>;
}

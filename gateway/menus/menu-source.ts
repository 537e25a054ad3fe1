// The interface between the routes of menus and what has the menus: the database in a region, a file in a restaurant.

import type { ErrorCode } from '../../contracts/errors.ts';
import type { Availability, ItemState } from '../../contracts/menu/availability.ts';
import type { StoreMenu } from '../../contracts/menu/store-menu.ts';
import type { FieldError } from '../../contracts/validation.ts';

/** A change that is refused. The client gets a problem with this code. */
export class MenuRefusal extends Error {
  override name = 'MenuRefusal';
  readonly code: ErrorCode;
  readonly errors: FieldError[] | undefined;

  constructor(code: ErrorCode, detail: string, errors?: FieldError[]) {
    super(detail);
    this.code = code;
    this.errors = errors;
  }
}

export interface MenuSource {
  /** The menu of a store at an instant, now if absent; `undefined` for an unknown store. Rejects while it cannot be read. */
  read(storeId: string, at: Date | undefined): Promise<StoreMenu | undefined>;
  /**
   * Stores a change and tells it to everyone. The same change again is harmless.
   * @throws MenuRefusal; another error when the change is not stored, or is stored and not told
   */
  change(storeId: string, sku: string, change: Availability): Promise<ItemState>;
}

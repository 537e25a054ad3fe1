/** The room's door: what other rooms import. */
import { deliverect } from './deliverect.ts';
import type { Field, Mapper } from './mapper.ts';
import { square } from './square.ts';
import { toast } from './toast.ts';
import { uberEats } from './uber-eats.ts';

/** A mapper of each platform, by the name of its sample. */
export const mappers = { square, toast, deliverect, 'uber-eats': uberEats };
export type Platform = keyof typeof mappers;
export type { Field, Mapper };

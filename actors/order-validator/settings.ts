import type { Config } from '../../contracts/config/config.ts';

/** The thresholds of the rules; plain data that crosses into the worker threads. */
export interface ValidatorSettings {
  /** Length of a counting window, in seconds of order time. */
  windowSeconds: number;
  customerOrdersMax: number;
  cardOrdersMax: number;
  /** Largest total that is accepted, in minor units. */
  amountMax: number;
  /** An order that was placed longer before its acceptance is judged by the menu at the beginning of this window. */
  menuWindowMs: number;
}

export function validatorSettings(config: Config): ValidatorSettings {
  return {
    windowSeconds: Math.max(1, Math.round(config.ORDERMESH_FRAUD_WINDOW / 1_000)),
    customerOrdersMax: config.ORDERMESH_FRAUD_CUSTOMER_ORDERS_MAX,
    cardOrdersMax: config.ORDERMESH_FRAUD_CARD_ORDERS_MAX,
    amountMax: config.ORDERMESH_FRAUD_AMOUNT_MAX,
    menuWindowMs: config.ORDERMESH_MENU_REPLAY_WINDOW,
  };
}

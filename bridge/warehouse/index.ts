/** A door of the room: what other rooms import. */

export { startWarehouse } from './warehouse.ts';
export { type WarehouseEvents, warehouseEvents } from './warehouse-events.ts';

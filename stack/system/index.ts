/** The room's door: what other rooms import. */
export { RoleProcess } from './role-process.ts';
export { type System, startSystem } from './system.ts';
export { until } from './until.ts';

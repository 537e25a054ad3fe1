export const notAnActor = true;

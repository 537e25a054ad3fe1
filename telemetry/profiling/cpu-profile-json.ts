// Reads the text of a processor profile of V8. Used by profile.ts.

import type { Profiler } from 'node:inspector';

/**
 * V8 writes names of functions and files as they are (https://github.com/nodesource/nsolid/issues/178). A regular expression is a function whose
 * name is its pattern, so a profile with one is no JSON. The test of this file fails when V8 writes them as JSON does.
 */
const callFrame =
  /"functionName":"(.*?)","lineNumber":(-?\d+),"columnNumber":(-?\d+),"scriptId":(-?\d+),"url":"(.*?)"\}/gs;

/** @param text what `stop()` of a profile answers */
export function parseCpuProfile(text: string): Profiler.Profile {
  const json = text.replace(
    callFrame,
    (_, functionName: string, line: string, column: string, scriptId: string, url: string) =>
      // The protocol of the inspector has the number of the script as a text.
      JSON.stringify({ functionName, lineNumber: Number(line), columnNumber: Number(column), scriptId, url }).slice(1),
  );
  return JSON.parse(json) as Profiler.Profile;
}

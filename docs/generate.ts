import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { configurationDocs } from '../contracts/config/config.ts';
import { errorDocs } from '../contracts/errors.ts';
import { alertsFile, kafkaAclsFile, meshFile } from './chart-files.ts';
import { mappingPages } from './mapping/pages.ts';

/** The pages that are made from tables and files, by their path. A test holds pages and sources together. */
export const generatedPages = {
  'docs/configuration.md': configurationDocs,
  'docs/errors.md': errorDocs,
  'docs/decisions/README.md': decisionIndex,
  'deploy/helm/files/alerts.yml': alertsFile,
  'deploy/helm/files/kafka-acls.yaml': kafkaAclsFile,
  'deploy/helm/files/mesh.yaml': meshFile,
  ...mappingPages,
};

const decisions = new URL('decisions/', import.meta.url);

/** A row for each decision, from its title and its status. @throws for a file without one of the two */
function decisionIndex(): string {
  const rows = readdirSync(decisions)
    .filter((file) => /^\d{4}-/.test(file))
    .sort()
    .map((file) => {
      const text = readFileSync(new URL(file, decisions), 'utf8');
      const [, number, title, status, date] = /^# (\d+)\. (.+)\n\nStatus: (.+) · (\d{4}-\d\d-\d\d)/.exec(text) ?? [];
      if (number === undefined)
        throw new Error(`${file} does not begin with "# N. title" and "Status: … · YYYY-MM-DD"`);
      return `| ${number} | [${title}](${file}) | ${status} | ${date} |`;
    });
  return `# Decisions

What was decided and why, in the order of time. A decision that no longer holds stays, with the status "superseded by N".
A new one is \`NNNN-short-name.md\` with a title, a status, what is decided, why, what was not chosen, and the price.
\`npm run docs\` writes this page.

| | decision | status | date |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

if (import.meta.main) {
  for (const [path, page] of Object.entries(generatedPages))
    await writeFile(new URL(`../${path}`, import.meta.url), page());
}

import { GroupMember } from './group-member.ts';

/** A member in a process of its own, to be killed: reports each record and commits nothing. */
const [cluster = '', groupId = '', topic = ''] = process.argv.slice(2);
const member = await GroupMember.join('killed', { cluster: JSON.parse(cluster), groupId, topics: [topic] });
for (const record of member.seen) process.send?.(record);
member.onSeen = (record) => process.send?.(record);

-- What is settled is forgotten after a time.
create index dead_letters_settled on dead_letters (consumer_group, topic, settled_at) where state <> 'parked';

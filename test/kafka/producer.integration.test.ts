import { createKafkajsProducer, createProducer } from '../../kafka/index.ts';
import { producerConformance } from './producer-conformance.ts';

producerConformance('@platformatic/kafka', createProducer);
producerConformance('kafkajs', createKafkajsProducer);

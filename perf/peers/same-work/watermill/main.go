// The same work (perf/peers/same-work/) on Watermill: its router with a handler from Kafka to Kafka.
// Built by build.ts; its command line is `watermill BROKERS FROM TO RECORDS TOTAL_LIMIT`.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"
)

type orderEvent struct {
	OrderID  string `json:"orderId"`
	Sequence int    `json:"sequence"`
	StoreID  string `json:"storeId"`
	Total    int64  `json:"total"`
	Currency string `json:"currency"`
}

type decision struct {
	orderEvent
	Decision string `json:"decision"`
}

type result struct {
	Records          int64   `json:"records"`
	Seconds          float64 `json:"seconds"`
	ProcessorSeconds float64 `json:"processorSeconds"`
	Version          string  `json:"version"`
}

var (
	startOnce        sync.Once
	startedAt        time.Time
	processorAtStart float64
)

func main() {
	brokers, from, to := strings.Split(os.Args[1], ","), os.Args[2], os.Args[3]
	records, totalLimit := number(os.Args[4]), number(os.Args[5])

	marshaler := kafka.NewWithPartitioningMarshaler(func(_ string, msg *message.Message) (string, error) {
		key, _ := kafka.MessageKeyFromCtx(msg.Context())
		return string(key), nil
	})
	subscriber := must(kafka.NewSubscriber(kafka.SubscriberConfig{
		Brokers:               brokers,
		Unmarshaler:           marshaler,
		ConsumerGroup:         fmt.Sprintf("same-work-watermill-%d-%d", os.Getpid(), time.Now().UnixMilli()),
		OverwriteSaramaConfig: subscriberConfig(),
	}, watermill.NopLogger{}))
	publisher := &countingPublisher{
		Publisher: must(kafka.NewPublisher(kafka.PublisherConfig{
			Brokers:               brokers,
			Marshaler:             marshaler,
			OverwriteSaramaConfig: publisherConfig(),
		}, watermill.NopLogger{})),
		wanted: records,
	}
	router := must(message.NewRouter(message.RouterConfig{}, watermill.NopLogger{}))
	router.AddHandler("decide", from, subscriber, to, publisher, func(msg *message.Message) ([]*message.Message, error) {
		startOnce.Do(func() { startedAt, processorAtStart = time.Now(), processorSeconds() })
		return decide(msg, totalLimit)
	})
	if err := router.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func decide(msg *message.Message, totalLimit int64) ([]*message.Message, error) {
	var event orderEvent
	if err := json.Unmarshal(msg.Payload, &event); err != nil {
		return nil, err
	}
	made := decision{event, "rejected"}
	if event.Total < totalLimit {
		made.Decision = "accepted"
	}
	payload, err := json.Marshal(made)
	if err != nil {
		return nil, err
	}
	out := message.NewMessage(watermill.NewULID(), payload)
	out.SetContext(msg.Context())
	return []*message.Message{out}, nil
}

// countingPublisher ends the program when all records are acknowledged: Publish returns after the acknowledgement.
type countingPublisher struct {
	message.Publisher
	wanted       int64
	acknowledged atomic.Int64
}

func (p *countingPublisher) Publish(topic string, messages ...*message.Message) error {
	if err := p.Publisher.Publish(topic, messages...); err != nil {
		return err
	}
	if count := p.acknowledged.Add(int64(len(messages))); count == p.wanted {
		_ = json.NewEncoder(os.Stdout).Encode(result{
			count, time.Since(startedAt).Seconds(), processorSeconds() - processorAtStart, version(),
		})
		os.Exit(0)
	}
	return nil
}

func subscriberConfig() *sarama.Config {
	config := kafka.DefaultSaramaSubscriberConfig()
	config.Version = sarama.V3_6_0_0
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Interval = 200 * time.Millisecond
	return config
}

// Each partition has one message in flight, so a batch gathers at most one message a partition. Sarama sends it as soon as it can.
func publisherConfig() *sarama.Config {
	config := kafka.DefaultSaramaSyncPublisherConfig()
	config.Version = sarama.V3_6_0_0
	config.Producer.RequiredAcks = sarama.WaitForAll
	return config
}

func processorSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func seconds(time syscall.Timeval) float64 {
	return float64(time.Sec) + float64(time.Usec)/1e6
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == "github.com/ThreeDotsLabs/watermill" {
			return dependency.Version
		}
	}
	return "unknown"
}

func number(text string) int64 {
	return must(strconv.ParseInt(text, 10, 64))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

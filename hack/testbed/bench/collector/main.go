// The Go collector: what the API does for a single unconditional action, without a world, on net/http and franz-go.
//
// Each request becomes one event, which is answered once all in-sync replicas have it. Unlike the API it knows no
// parameters, no player names beyond ASCII and no bulk requests.
//
// Usage: collector ADDRESS CONTRACT; the contract is a JSON file that testbed.bench.go_collector writes.
// Environment: KAFKA_BOOTSTRAP_SERVERS, KAFKA_TOPIC, and KAFKA_PROTOCOL (the broker's own; for example v2.3, for a broker
// that does not refuse newer requests correctly, such as librdkafka's mock broker).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

const headerTimeout = 5 * time.Second

type collector struct {
	rules *contract
	kafka *kgo.Client
	topic string
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func serve() error {
	if len(os.Args) != 3 {
		return errors.New("expected an address and the contract's file")
	}
	rules, err := readContract(os.Args[2])
	if err != nil {
		return err
	}
	kafka, err := kgo.NewClient(
		// Without a version there is no limit.
		kgo.MaxVersions(kversion.FromString(os.Getenv("KAFKA_PROTOCOL"))),
		kgo.SeedBrokers(strings.Split(os.Getenv("KAFKA_BOOTSTRAP_SERVERS"), ",")...),
		// The producer is idempotent by default.
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(time.Duration(rules.LingerMS)*time.Millisecond),
		kgo.RecordDeliveryTimeout(time.Duration(rules.DeliveryTimeoutMS)*time.Millisecond),
		// As librdkafka's default, so that the broker gets as many bytes.
		kgo.ProducerBatchCompression(kgo.NoCompression()),
	)
	if err != nil {
		return err
	}
	defer kafka.Close()
	if err := kafka.Ping(context.Background()); err != nil {
		return err
	}
	one := &collector{rules, kafka, os.Getenv("KAFKA_TOPIC")}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /healthz", alive)
	for _, done := range rules.Actions {
		path := done.Path
		if path == "/" {
			path = "/{$}"
		}
		routes.HandleFunc("GET "+path, func(response http.ResponseWriter, request *http.Request) {
			one.answer(response, request, done)
		})
	}
	server := &http.Server{Addr: os.Args[1], Handler: routes, ReadHeaderTimeout: headerTimeout}
	return server.ListenAndServe()
}

func alive(response http.ResponseWriter, _ *http.Request) { write(response, http.StatusOK, "alive") }

func (c *collector) answer(response http.ResponseWriter, request *http.Request, done action) {
	made, err := c.rules.newEvent(request, done)
	if refused := (*invalidError)(nil); errors.As(err, &refused) {
		write(response, refused.status, refused.Error()+"\n")
		return
	}
	record, err := c.append(made)
	if err != nil {
		response.Header().Set("Retry-After", "1")
		response.Header().Set("Event-Outcome", "unknown")
		write(response, http.StatusServiceUnavailable, fmt.Sprintf("The event may have been written: %v\n", err))
		return
	}
	if !prefersJSON(made.Accept) {
		write(response, http.StatusOK, done.Answer)
		return
	}
	body, _ := json.Marshal(map[string]any{
		"answer": done.Answer, "event_id": made.ID, "partition": record.Partition, "offset": record.Offset,
	})
	response.Header().Set("Content-Type", "application/json")
	write(response, http.StatusOK, string(body))
}

// append waits until Kafka has acknowledged the event.
func (c *collector) append(made *event) (*kgo.Record, error) {
	value, err := made.encode()
	if err != nil {
		return nil, err
	}
	// A client that leaves does not cancel its event.
	results := c.kafka.ProduceSync(context.Background(), &kgo.Record{Topic: c.topic, Key: []byte(made.Player), Value: value})
	return results.First()
}

func prefersJSON(accept string) bool {
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/plain")
}

func write(response http.ResponseWriter, status int, text string) {
	headers := response.Header()
	if headers.Get("Content-Type") == "" {
		headers.Set("Content-Type", "text/plain; charset=utf-8")
	}
	headers.Set("Cache-Control", "no-store")
	headers.Set("Content-Length", strconv.Itoa(len(text)))
	response.WriteHeader(status)
	_, _ = response.Write([]byte(text))
}

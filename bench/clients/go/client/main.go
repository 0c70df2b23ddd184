// falcosecurity/client-go, measured: one of the rivals of bench/clients.
//
// It prints what it found as JSON, in the words of ../measure.ts.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/falcosecurity/client-go/pkg/api/outputs"
	"github.com/falcosecurity/client-go/pkg/client"
)

func cpuMs() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	ms := func(t syscall.Timeval) float64 { return float64(t.Sec)*1e3 + float64(t.Usec)/1e3 }
	return ms(usage.Utime) + ms(usage.Stime)
}

func peakMiB() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		log.Fatal(err)
	}
	var kib float64
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "VmHWM:") {
			fmt.Sscanf(strings.TrimPrefix(line, "VmHWM:"), "%f", &kib)
		}
	}
	return kib / 1024
}

func connect(socket, certs string, port uint) *client.Client {
	config := &client.Config{UnixSocketPath: "unix://" + socket}
	if certs != "" {
		config = &client.Config{
			Hostname:   "localhost",
			Port:       uint16(port),
			CertFile:   filepath.Join(certs, "client.crt"),
			KeyFile:    filepath.Join(certs, "client.key"),
			CARootFile: filepath.Join(certs, "ca.crt"),
		}
	}
	falco, err := client.NewForConfig(context.Background(), config)
	if err != nil {
		log.Fatal(err)
	}
	return falco
}

func get(falco *client.Client) (alerts, digest int) {
	service, err := falco.Outputs()
	if err != nil {
		log.Fatal(err)
	}
	stream, err := service.Get(context.Background(), &outputs.Request{})
	if err != nil {
		log.Fatal(err)
	}
	for {
		alert, err := stream.Recv()
		if err == io.EOF {
			return alerts, digest
		}
		if err != nil {
			log.Fatal(err)
		}
		alerts++
		digest += len(alert.Rule) + len(alert.Output) + len(alert.Tags) + len(alert.OutputFields["proc.name"])
	}
}

func measureGet(falco *client.Client) map[string]any {
	get(falco) // warms up
	cpu, start := cpuMs(), time.Now()
	alerts, digest := get(falco)
	return map[string]any{
		"alerts": alerts, "digest": digest,
		"wallMs":  float64(time.Since(start).Microseconds()) / 1e3,
		"cpuMs":   cpuMs() - cpu,
		"peakMiB": peakMiB(),
	}
}

func measureWatch(falco *client.Client, every time.Duration, count int, idle time.Duration) map[string]any {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	latencies := []float64{}
	done := make(chan error, 1)
	cpu, start := cpuMs(), time.Now()
	go func() {
		done <- falco.OutputsWatch(ctx, func(alert *outputs.Response) error {
			latencies = append(latencies, float64(time.Since(alert.Time.AsTime()).Microseconds())/1e3)
			if len(latencies) == count {
				return io.EOF
			}
			return nil
		}, every)
	}()
	fmt.Println(`"ready"`)
	if idle > 0 {
		time.Sleep(idle)
	} else if err := <-done; err != io.EOF {
		log.Fatal(err)
	}
	return map[string]any{
		"latenciesMs": latencies,
		"wallMs":      float64(time.Since(start).Microseconds()) / 1e3,
		"cpuMs":       cpuMs() - cpu,
	}
}

func main() {
	socket := flag.String("socket", "", "path of the unix socket")
	certs := flag.String("certs", "", "folder with ca.crt, client.crt and client.key, for TLS")
	port := flag.Uint("port", 0, "port for TLS")
	every := flag.Duration("watch", 0, "measure OutputsWatch with this interval instead of get")
	count := flag.Int("count", 0, "alerts to watch")
	idle := flag.Duration("idle", 0, "watch nothing for this long")
	flag.Parse()
	falco := connect(*socket, *certs, *port)
	defer falco.Close()
	result := map[string]any{}
	if *every > 0 {
		result = measureWatch(falco, *every, *count, *idle)
	} else {
		result = measureGet(falco)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}

// Falco's official Go client, driven by tests/interop/main.ts. See ../README.md for what it prints.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/falcosecurity/client-go/pkg/api/outputs"
	"github.com/falcosecurity/client-go/pkg/api/version"
	"github.com/falcosecurity/client-go/pkg/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	pollInterval = 50 * time.Millisecond
	backOff      = 50 * time.Millisecond
)

// errEnough ends a stream from our side.
var errEnough = errors.New("enough alerts")

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: go ADDRESS CERTS MODE [COUNT]")
		os.Exit(2)
	}
	count := 0
	if len(os.Args) > 4 {
		count, _ = strconv.Atoi(os.Args[4])
	}
	falco, err := client.NewForConfig(context.Background(), configOf(os.Args[1], os.Args[2]))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer falco.Close()
	switch mode := os.Args[3]; mode {
	case "version":
		askVersion(falco)
	case "get":
		get(falco)
	case "sub":
		print("status", codeOf(sub(falco, count, 0)))
	case "idle":
		print("status", codeOf(sub(falco, 1, 300*time.Millisecond)))
	case "watch":
		watch(falco, count)
	case "outputs-watch":
		outputsWatch(falco, count)
	default:
		fmt.Fprintln(os.Stderr, "unknown mode", mode)
		os.Exit(2)
	}
}

func configOf(address, certs string) *client.Config {
	if strings.HasPrefix(address, "unix:") {
		return &client.Config{UnixSocketPath: address}
	}
	parsed, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	host, portText, _ := net.SplitHostPort(parsed.Host)
	port, _ := strconv.Atoi(portText)
	return &client.Config{
		Hostname:   host,
		Port:       uint16(port),
		CertFile:   filepath.Join(certs, "client.crt"),
		KeyFile:    filepath.Join(certs, "client.key"),
		CARootFile: filepath.Join(certs, "ca.crt"),
	}
}

func askVersion(falco *client.Client) {
	service, err := falco.Version()
	if err == nil {
		var answer *version.Response
		answer, err = service.Version(context.Background(), &version.Request{})
		if err == nil {
			print("version", answer.Version)
		}
	}
	print("status", codeOf(err))
}

func get(falco *client.Client) {
	service, err := falco.Outputs()
	if err == nil {
		var stream outputs.Service_GetClient
		stream, err = service.Get(context.Background(), &outputs.Request{})
		for err == nil {
			var alert *outputs.Response
			alert, err = stream.Recv()
			if err == nil {
				printAlert(alert)
			}
		}
	}
	print("status", codeOf(err))
}

// sub asks for alerts until it has count of them, then cancels; all the same what ends it before.
func sub(falco *client.Client, count int, deadline time.Duration) error {
	ctx, cancel := context.WithCancel(context.Background())
	if deadline > 0 {
		ctx, cancel = context.WithTimeout(context.Background(), deadline)
	}
	defer cancel()
	service, err := falco.Outputs()
	if err != nil {
		return err
	}
	stream, err := service.Sub(ctx)
	if err != nil {
		return err
	}
	go func() {
		ticker := time.NewTicker(pollInterval)
		defer ticker.Stop()
		for stream.Send(&outputs.Request{}) == nil {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	for seen := 0; ; {
		alert, err := stream.Recv()
		if err != nil {
			return err
		}
		printAlert(alert)
		if seen++; seen == count {
			cancel()
		}
	}
}

// watch subscribes again whenever the server ends the stream, until it has count alerts in total.
func watch(falco *client.Client, count int) {
	for printed < count {
		err := sub(falco, count-printed, 0)
		if codeOf(err) == int(codes.Canceled) {
			print("status", codeOf(err))
			return
		}
		print("end", codeOf(err))
		time.Sleep(backOff)
	}
}

// outputsWatch is the way that client-go's own documentation shows.
func outputsWatch(falco *client.Client, count int) {
	err := falco.OutputsWatch(context.Background(), func(alert *outputs.Response) error {
		printAlert(alert)
		if printed == count {
			return errEnough
		}
		return nil
	}, 100*time.Millisecond)
	if errors.Is(err, errEnough) {
		print("status", int(codes.Canceled))
		return
	}
	print("status", codeOf(err))
}

func codeOf(err error) int {
	if err == nil || err.Error() == "EOF" {
		return int(codes.OK)
	}
	fmt.Fprintln(os.Stderr, err)
	return int(status.Code(err))
}

// printed counts the alerts.
var printed int

func printAlert(alert *outputs.Response) {
	printed++
	print("alert", map[string]any{
		"seconds":       strconv.FormatInt(alert.Time.GetSeconds(), 10),
		"nanos":         alert.Time.GetNanos(),
		"priority":      int(alert.Priority),
		"rule":          alert.Rule,
		"output":        alert.Output,
		"output_fields": alert.OutputFields,
		"hostname":      alert.Hostname,
		"tags":          alert.Tags,
		"source":        alert.Source,
	})
}

func print(name string, value any) {
	line, err := json.Marshal(map[string]any{name: value})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

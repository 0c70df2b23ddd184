// A Falco for benchmarks: answers `get` and `sub` with messages that were encoded before.
//
// It is a plain grpc-go server whose codec hands bytes through, so that it is not the bottleneck and
// favours no client; each message is a DATA frame of its own, as from Falco.
//
// On standard input it takes `get COUNT...` (how many messages the next calls of get have, one number
// a call) and `push RATE COUNT` (queue alerts for sub, RATE a second, their time the time of the push).
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/falcosecurity/client-go/pkg/api/outputs"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// rawCodec takes messages as they are.
type rawCodec struct{}

func (rawCodec) Marshal(message any) ([]byte, error) { return *message.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, message any) error {
	*message.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (rawCodec) Name() string { return "proto" }

type falco struct {
	messages [][]byte
	mutex    sync.Mutex
	counts   []int
	queue    [][]byte
}

func (f *falco) nextCount() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if len(f.counts) == 0 {
		return 0
	}
	count := f.counts[0]
	f.counts = f.counts[1:]
	return count
}

func (f *falco) pop() []byte {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if len(f.queue) == 0 {
		return nil
	}
	message := f.queue[0]
	f.queue = f.queue[1:]
	return message
}

func (f *falco) get(_ any, stream grpc.ServerStream) error {
	var request []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	for index, count := 0, f.nextCount(); index < count; index++ {
		if err := stream.SendMsg(&f.messages[index%len(f.messages)]); err != nil {
			return err
		}
	}
	return nil
}

// As Falco: nothing is sent before a request; each drains the queue.
func (f *falco) sub(_ any, stream grpc.ServerStream) error {
	for {
		var request []byte
		if err := stream.RecvMsg(&request); err != nil {
			return err
		}
		for message := f.pop(); message != nil; message = f.pop() {
			if err := stream.SendMsg(&message); err != nil {
				return err
			}
		}
	}
}

func (f *falco) push(rate float64, count int) {
	var alert outputs.Response
	if err := proto.Unmarshal(f.messages[0], &alert); err != nil {
		log.Fatal(err)
	}
	start := time.Now()
	for index := 0; index < count; index++ {
		time.Sleep(time.Until(start.Add(time.Duration(float64(index) / rate * float64(time.Second)))))
		alert.Time = timestamppb.Now()
		message, err := proto.Marshal(&alert)
		if err != nil {
			log.Fatal(err)
		}
		f.mutex.Lock()
		f.queue = append(f.queue, message)
		f.mutex.Unlock()
	}
}

func readMessages(file string) [][]byte {
	data, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	var messages [][]byte
	for len(data) > 0 {
		length := binary.BigEndian.Uint32(data)
		messages = append(messages, data[4:4+length])
		data = data[4+length:]
	}
	return messages
}

func mutualTLS(folder string) credentials.TransportCredentials {
	certificate, err := tls.LoadX509KeyPair(
		filepath.Join(folder, "server.crt"), filepath.Join(folder, "server.key"))
	if err != nil {
		log.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(folder, "ca.crt"))
	if err != nil {
		log.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    pool,
	})
}

func main() {
	messages := flag.String("messages", "", "file of messages, four bytes of length before each")
	socket := flag.String("socket", "", "path of the unix socket")
	certs := flag.String("certs", "", "folder with ca.crt, server.crt and server.key")
	flag.Parse()
	f := &falco{messages: readMessages(*messages)}

	service := grpc.ServiceDesc{
		ServiceName: "falco.outputs.service",
		HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{
			{StreamName: "get", Handler: f.get, ServerStreams: true},
			{StreamName: "sub", Handler: f.sub, ServerStreams: true, ClientStreams: true},
		},
	}
	serve := func(network, address string, options ...grpc.ServerOption) net.Addr {
		listener, err := net.Listen(network, address)
		if err != nil {
			log.Fatal(err)
		}
		server := grpc.NewServer(append(options, grpc.ForceServerCodec(rawCodec{}))...)
		server.RegisterService(&service, f)
		go func() { log.Fatal(server.Serve(listener)) }()
		return listener.Addr()
	}
	serve("unix", *socket)
	address := serve("tcp", "localhost:0", grpc.Creds(mutualTLS(*certs)))
	fmt.Printf("listening on %s and localhost:%d\n", *socket, address.(*net.TCPAddr).Port)

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		var numbers []float64
		for _, word := range words[1:] {
			number, err := strconv.ParseFloat(word, 64)
			if err != nil {
				log.Fatal(err)
			}
			numbers = append(numbers, number)
		}
		switch words[0] {
		case "get":
			f.mutex.Lock()
			f.counts = nil
			for _, number := range numbers {
				f.counts = append(f.counts, int(number))
			}
			f.mutex.Unlock()
		case "push":
			go f.push(numbers[0], int(numbers[1]))
		}
		fmt.Println("ok")
	}
}

// Command gorilla is the least that a websocket server in Go can be: gorilla/websocket behind net/http, returning every
// message. The benchmark holds the seed's memory per peer against it.
//
//	gorilla PLAIN-ADDR TLS-ADDR
//
// It ends when its standard input does.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net/http"
	"os"
	"time"

	"github.com/gorilla/websocket"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: gorilla PLAIN-ADDR TLS-ADDR")
	}
	certificate, err := selfSigned()
	if err != nil {
		log.Fatal(err)
	}
	handler := http.HandlerFunc(echo)
	plain := &http.Server{Addr: os.Args[1], Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	secure := &http.Server{
		Addr: os.Args[2], Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
	}
	go func() { log.Fatal(plain.ListenAndServe()) }()
	go func() { log.Fatal(secure.ListenAndServeTLS("", "")) }()
	_, _ = io.Copy(io.Discard, os.Stdin) // whatever ends it ends the server
}

func echo(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	defer conn.Close()
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if conn.WriteMessage(kind, message) != nil {
			return
		}
	}
}

// selfSigned makes a certificate that lasts as long as a benchmark.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		DNSNames:     []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

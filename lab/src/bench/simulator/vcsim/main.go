// The engine of vcsim (govmomi's package simulator) as a program of its own: what `viv sim` is held against. vcsim's own command
// is a module without releases, so that only its old versions can be installed; the engine is released with govmomi.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/vmware/govmomi/simulator"
)

func main() {
	model := simulator.VPX()
	listen := flag.String("l", "127.0.0.1:0", "where to listen")
	environment := flag.String("E", "", "file that is told the URL and the process")
	flag.IntVar(&model.Host, "standalone-host", model.Host, "hosts outside of clusters")
	flag.IntVar(&model.Cluster, "cluster", model.Cluster, "clusters")
	flag.IntVar(&model.ClusterHost, "host", model.ClusterHost, "hosts in a cluster")
	flag.IntVar(&model.Machine, "vm", model.Machine, "virtual machines in a resource pool")
	flag.BoolVar(&model.Autostart, "autostart", model.Autostart, "power virtual machines on")
	flag.Parse()

	if err := model.Create(); err != nil {
		log.Fatal(err)
	}
	defer model.Remove()
	model.Service.Listen = &url.URL{Host: *listen}
	model.Service.TLS = new(tls.Config)
	server := model.Service.NewServer()
	defer server.Close()

	line := fmt.Sprintf("export GOVC_URL=%s GOVC_SIM_PID=%d\n", server.URL, os.Getpid())
	if err := os.WriteFile(*environment, []byte(line), 0o600); err != nil {
		log.Print(err)
		return
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
}

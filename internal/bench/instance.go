//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/internal/bench/slownet"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// instance is a GitLab with one archive, at the distance of its path: nginx with TLS in
// front of the simulated GitLab, and nginx as object storage on another port.
type instance struct {
	gitlab, storage string // host and port, as clients see them
	nearStorage     string // not delayed
	ca, bundle      string // PEM files: only its authority, and with the system's
	log             string // nginx's log
	proxies         map[string]*slownet.Proxy
	stop            []func()
}

// The IDs and the token of an instance.
const (
	farProject  = 1
	farJob      = 1001
	farPipeline = 120  // the client's own
	farOwnJob   = 1401 // the client
	farJobToken = "glcbt-64_benchmarkJobToken00"
	farToken    = "glpat-benchmarkToken0000001"
)

// site describes an instance to start.
type site struct {
	archive    string // file
	redirect   bool   // to object storage
	path       *slownet.Path
	serverTime time.Duration // GitLab's time for each request
}

// application is GitLab's application server: the simulator, made as slow as Rails. For
// an archive on disk the simulator sends the ETag of old versions; this sends the
// archive's SHA-256, as GitLab does since 19.0.
type application struct {
	*gitlabtest.Server
	took time.Duration
	etag string
}

// ServeHTTP implements [http.Handler].
func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	time.Sleep(a.took)
	if r.Header.Get("If-Range") == a.etag {
		r.Header.Del("If-Range") // the condition is true
	}
	a.Server.ServeHTTP(&tagged{w, a.etag}, r)
}

// tagged replaces the ETag, if the answer has one.
type tagged struct {
	http.ResponseWriter
	etag string
}

// WriteHeader implements [http.ResponseWriter].
func (t *tagged) WriteHeader(status int) {
	if t.Header().Get("ETag") != "" {
		t.Header().Set("ETag", t.etag)
	}
	t.ResponseWriter.WriteHeader(status)
}

// world is a project whose newest successful pipeline of main has a dozen jobs, one of
// them with the archive. The client's own pipeline is newer.
func world(archive string) *gitlabtest.World {
	now := time.Now().Add(-time.Hour)
	jobs := []*gitlabtest.Job{{ID: farJob, Name: "build", Stage: "build", ArchiveFile: archive}}
	for i := range 11 {
		jobs = append(jobs, &gitlabtest.Job{ID: int64(farJob + 1 + i), Name: fmt.Sprintf("test %d/11", i+1)})
	}
	running := &gitlabtest.Job{ID: farOwnJob, Name: "deploy", Status: "running"}
	return &gitlabtest.World{
		Projects: []*gitlabtest.Project{{
			ID: farProject, Path: "g/p", Visibility: gitlabtest.Private, DefaultBranch: "main",
			Pipelines: []*gitlabtest.Pipeline{
				{ID: 100, Ref: "main", SHA: strings.Repeat("a", 40), Status: "success", CreatedAt: now.Add(-2 * time.Hour), Jobs: jobs},
				{ID: farPipeline, Ref: "main", SHA: strings.Repeat("b", 40), Status: "running", CreatedAt: now.Add(-time.Hour), Jobs: []*gitlabtest.Job{running}},
			},
		}},
		Tokens: []*gitlabtest.Token{
			{Value: farJobToken, Kind: gitlabtest.KindJob, Project: farProject, Job: running.ID},
			{Value: farToken, Kind: gitlabtest.KindPrivate, Roles: map[int64]string{farProject: "developer"}},
		},
	}
}

// open starts an instance in dir.
func (s site) open(ctx context.Context, dir string) (*instance, error) {
	i := &instance{ca: filepath.Join(dir, "ca.pem"), bundle: filepath.Join(dir, "bundle.pem"), log: filepath.Join(dir, "access.log"), proxies: map[string]*slownet.Proxy{}}
	if err := i.start(ctx, s, dir); err != nil {
		i.close()
		return nil, err
	}
	return i, nil
}

func (i *instance) start(ctx context.Context, s site, dir string) error {
	key := filepath.Join(dir, "key.pem")
	if err := certificate(i.ca, key); err != nil {
		return err
	}
	if err := withSystem(i.ca, i.bundle); err != nil {
		return err
	}
	near, err := freePorts(ctx, 2)
	if err != nil {
		return err
	}
	i.nearStorage = near[1]
	for n, name := range []*string{&i.gitlab, &i.storage} {
		*name = near[n]
		if s.path == nil {
			continue
		}
		proxy, err := s.path.Listen(ctx, near[n])
		if err != nil {
			return err
		}
		i.stop = append(i.stop, func() { _ = proxy.Close() }) // the run is over
		*name = proxy.Addr().String()
		i.proxies[near[n]] = proxy
	}
	application, err := i.application(ctx, s)
	if err != nil {
		return err
	}
	text := strings.NewReplacer("DIR", dir, "ARCHIVE", s.archive, "APPLICATION", application, "GITLAB", near[0], "STORAGE", near[1], "JOB", fmt.Sprint(farJob)).Replace(instanceConf)
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return err
	}
	nginx := exec.CommandContext(ctx, "nginx", "-c", conf)
	nginx.Stderr = os.Stderr
	if err := nginx.Start(); err != nil {
		return err
	}
	i.stop = append(i.stop, func() {
		_ = nginx.Process.Signal(os.Interrupt)
		_ = nginx.Wait() // a signal ends it
	})
	return reachable(ctx, near[0])
}

// application serves the simulated GitLab and returns its address.
func (i *instance) application(ctx context.Context, s site) (string, error) {
	digest, err := digestOf(s.archive)
	if err != nil {
		return "", err
	}
	mode := gitlabtest.ModeDisk
	if s.redirect {
		mode = gitlabtest.ModeRedirect
	}
	app := &application{gitlabtest.New(world(s.archive), gitlabtest.Options{Mode: mode}), s.serverTime, `"` + digest + `"`}
	app.SetStorageURL("https://" + i.storage)
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: app, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }() // until it is closed
	i.stop = append(i.stop, func() { _ = server.Close() })
	return l.Addr().String(), nil
}

func (i *instance) close() {
	for _, stop := range i.stop {
		stop()
	}
}

// instanceConf has the parts of GitLab's own configuration that affect downloads.
const instanceConf = `
daemon off; worker_processes 1; pid DIR/pid; error_log DIR/error.log;
events { worker_connections 256; }
http {
  log_format b '$msec|$server_port|$remote_port|$status|$body_bytes_sent|$request_time|$ssl_session_reused|$sent_http_content_type|$http_range|$request_uri';
  access_log DIR/access.log b;
  sendfile on; tcp_nopush on; keepalive_timeout 65;
  ssl_protocols TLSv1.3; ssl_certificate DIR/ca.pem; ssl_certificate_key DIR/key.pem;
  client_body_temp_path DIR/t1; proxy_temp_path DIR/t2; fastcgi_temp_path DIR/t3; uwsgi_temp_path DIR/t4; scgi_temp_path DIR/t5;
  gzip_comp_level 2; gzip_min_length 10240; gzip_types application/json;
  upstream application { server APPLICATION; keepalive 32; }
  server {
    listen GITLAB ssl;
    gzip on;
    location / {
      proxy_pass http://application; proxy_http_version 1.1;
      proxy_set_header Host $http_host; proxy_set_header Connection "";
      proxy_buffers 16 64k; proxy_busy_buffers_size 128k; proxy_max_temp_file_size 0;
    }
  }
  server {
    listen STORAGE ssl;
    default_type application/octet-stream;
    location = /artifacts/JOB/artifacts.zip { alias ARCHIVE; }
    location / { return 403; }
  }
}
`

// digestOf returns a file's SHA-256.
func digestOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

// withSystem writes a bundle of the system's authorities and the one in file, because a
// client that trusts public certificates reads all of them.
func withSystem(file, bundle string) error {
	own, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	system, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.WriteFile(bundle, bytes.Join([][]byte{system, own}, nil), 0o644)
}

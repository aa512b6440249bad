package transport_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/transport"
)

// Headers for a gateway go to GitLab's origin, also where that redirects to itself, and
// nowhere else: not to storage, and not to another port of the same host.
func TestGatewayHeaders(t *testing.T) {
	t.Parallel()
	seen := map[string][]string{} // requests come one after the other
	note := func(who string, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen[who] = append(seen[who], r.Header.Get("CF-Access-Client-Secret")+r.Header.Get("Authorization")+r.Header.Get("Cookie"))
			next.ServeHTTP(w, r)
		})
	}
	storage := httptest.NewServer(note("storage", http.NotFoundHandler()))
	t.Cleanup(storage.Close)
	mux := http.NewServeMux()
	mux.Handle("/api/v4/moved", http.RedirectHandler("/api/v4/here", http.StatusMovedPermanently))
	mux.Handle("/api/v4/here", http.RedirectHandler(storage.URL+"/object", http.StatusFound))
	server := httptest.NewServer(note("gitlab", mux))
	t.Cleanup(server.Close)
	clients := transport.New(transport.Options{
		API: parse(t, server.URL+"/api/v4"), Header: "JOB-TOKEN", Token: "token",
		Gateway: http.Header{"Cf-Access-Client-Secret": {"s"}, "Authorization": {"a"}, "Cookie": {"c"}},
	})
	for _, client := range []*http.Client{clients.Whole, clients.Stream, clients.Hasty} {
		if _, err := get(t, client, server.URL+"/api/v4/moved"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := get(t, clients.Whole, storage.URL); err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]string{"gitlab": "sac", "storage": ""} {
		for _, got := range seen[who] {
			if got != want {
				t.Errorf("%s got %q", who, got)
			}
		}
	}
	if len(seen["gitlab"]) != 6 || len(seen["storage"]) != 4 {
		t.Errorf("%v", seen)
	}
}

// A host that GitLab redirects to, and that can't be reached, is given up at once by the
// hasty client; GitLab itself is still retried.
func TestHasty(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		http.Redirect(w, r, gone.URL, http.StatusFound)
	}))
	t.Cleanup(server.Close)
	retries := 0
	clients := transport.New(transport.Options{API: parse(t, server.URL+"/api/v4"), Retry: transport.Policy{Retries: 2}, Observe: func(x transport.Exchange) {
		if x.Wait > 0 {
			retries++
		}
	}})
	if _, err := get(t, clients.Hasty, server.URL); err == nil || retries != 1 {
		t.Errorf("%d retries, %v", retries, err)
	}
	if _, err := get(t, clients.Stream, server.URL); err == nil || retries != 3 {
		t.Errorf("%d retries, %v", retries, err)
	}
}

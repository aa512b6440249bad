package delivery

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sigstore is as much of Sigstore as signing and verifying without a key take: Fulcio,
// which gives the bearer of a token a certificate for what the token says, and Rekor,
// which logs what was signed.
//
//	https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
//	https://github.com/sigstore/rekor/blob/main/openapi.yaml
//	https://c2sp.org/tlog-checkpoint
type sigstore struct {
	*httptest.Server

	ca     *x509.Certificate
	caKey  *ecdsa.PrivateKey
	logKey *ecdsa.PrivateKey
	logID  [sha256.Size]byte
	env    []string // for cosign
}

// logName is what the log calls itself.
const logName = "rekor.example.com"

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newSigstore(t *testing.T) *sigstore {
	t.Helper()
	s := &sigstore{caKey: newKey(t), logKey: newKey(t)}
	s.ca = s.certificate(t, &x509.Certificate{
		Subject: pkix.Name{Organization: []string{"sigstore"}, CommonName: "sigstore"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, &s.caKey.PublicKey)
	logKey, err := x509.MarshalPKIXPublicKey(&s.logKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	s.logID = sha256.Sum256(logKey)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/signingCert", func(w http.ResponseWriter, r *http.Request) { s.certify(t, w, r) })
	mux.HandleFunc("POST /api/v1/log/entries", func(w http.ResponseWriter, r *http.Request) { s.record(t, w, r) })
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	valid := `"validFor": {"start": "2020-01-01T00:00:00Z"}`
	root := filepath.Join(t.TempDir(), "trusted_root.json")
	content := fmt.Sprintf(`{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
		"tlogs": [{"baseUrl": %q, "hashAlgorithm": "SHA2_256", "logId": {"keyId": %q}, "publicKey": {"rawBytes": %q, "keyDetails": "PKIX_ECDSA_P256_SHA_256", %s}}],
		"certificateAuthorities": [{"uri": %q, "certChain": {"certificates": [{"rawBytes": %q}]}, %s}]}`,
		"https://"+logName, in64(s.logID[:]), in64(logKey), valid, s.URL, in64(s.ca.Raw), valid)
	if err := os.WriteFile(root, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	// Without a log of certificates.
	s.env = []string{"COSIGN_FULCIO_URL=" + s.URL, "COSIGN_REKOR_URL=" + s.URL, "COSIGN_TRUSTED_ROOT=" + root, "COSIGN_INSECURE_SKIP_VERIFY=true", "COSIGN_INSECURE_IGNORE_SCT=true"}
	return s
}

func in64(content []byte) string { return base64.StdEncoding.EncodeToString(content) }

// certificate makes one that is signed by the authority, or itself the authority's.
func (s *sigstore) certificate(t *testing.T, template, parent *x509.Certificate, key any) *x509.Certificate {
	t.Helper()
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Minute), time.Now().Add(10*time.Minute)
	if parent == nil {
		parent = template
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, key, s.caKey)
	if err != nil {
		t.Error(err)
		return nil
	}
	made, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Error(err)
	}
	return made
}

// pipelineToken is what `id_tokens` of GitLab gives to a job, without a real signature:
// https://docs.gitlab.com/ci/secrets/id_token_authentication/
func pipelineToken(project, ref string) string {
	server, path, _ := strings.Cut(project, "/")
	claims, _ := json.Marshal(map[string]any{
		"iss": "https://" + server, "aud": "sigstore", "sub": "project_path:" + path + ":ref_type:tag:ref:" + ref,
		"exp": time.Now().Add(time.Hour).Unix(), "ci_config_ref_uri": project + "//.gitlab-ci.yml@refs/tags/" + ref,
	})
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims) + ".c2ln"
}

// certify is Fulcio: the name in the certificate is the file and the ref of the pipeline.
func (s *sigstore) certify(t *testing.T, w http.ResponseWriter, r *http.Request) {
	var asked struct{ PublicKey struct{ Content []byte } }
	var claims struct {
		Iss, Aud string
		URI      string `json:"ci_config_ref_uri"`
	}
	parts := strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	if len(parts) == 3 {
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(payload, &claims)
	}
	err := json.NewDecoder(r.Body).Decode(&asked)
	der := asked.PublicKey.Content
	if block, _ := pem.Decode(der); block != nil { // as cosign sends it
		der = block.Bytes
	}
	key, bad := x509.ParsePKIXPublicKey(der)
	name, worse := url.Parse("https://" + claims.URI)
	issuer, worst := asn1.MarshalWithParams(claims.Iss, "utf8")
	if err != nil || bad != nil || worse != nil || worst != nil || claims.Aud != "sigstore" {
		http.Error(w, fmt.Sprintf("%v, %v, %v, %+v", err, bad, worse, claims), http.StatusBadRequest)
		return
	}
	leaf := s.certificate(t, &x509.Certificate{
		URIs: []*url.URL{name}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		ExtraExtensions: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 1}, Value: []byte(claims.Iss)},
			{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8}, Value: issuer},
		},
	}, s.ca, key)
	w.WriteHeader(http.StatusCreated)
	for _, c := range []*x509.Certificate{leaf, s.ca} {
		_ = pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
}

// record is Rekor, with a log that has this entry alone.
func (s *sigstore) record(t *testing.T, w http.ResponseWriter, r *http.Request) {
	var entry map[string]any
	if err := json.NewDecoder(r.Body).Decode(&entry); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if entry["kind"] == "dsse" {
		entry["spec"] = loggedEnvelope(entry["spec"])
	}
	body, _ := json.Marshal(entry) // with sorted names, as Rekor has it
	leaf := sha256.Sum256(append([]byte{0}, body...))
	at := time.Now().Unix()
	promise, _ := json.Marshal(map[string]any{"body": in64(body), "integratedTime": at, "logID": hex.EncodeToString(s.logID[:]), "logIndex": 0})
	checkpoint := logName + "\n1\n" + in64(leaf[:]) + "\n"
	signature := binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(s.logID[:]))
	signature = append(signature, s.sign(t, []byte(checkpoint))...)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{hex.EncodeToString(leaf[:]): map[string]any{
		"body": in64(body), "integratedTime": at, "logID": hex.EncodeToString(s.logID[:]), "logIndex": 0,
		"verification": map[string]any{
			"signedEntryTimestamp": in64(s.sign(t, promise)),
			"inclusionProof": map[string]any{
				"hashes": []string{}, "logIndex": 0, "treeSize": 1, "rootHash": hex.EncodeToString(leaf[:]),
				"checkpoint": checkpoint + "\n— " + logName + " " + in64(signature) + "\n",
			},
		},
	}})
}

// loggedEnvelope is what the log keeps of a signed statement: digests, and who signed.
func loggedEnvelope(spec any) any {
	proposed, _ := spec.(map[string]any)["proposedContent"].(map[string]any)
	text, _ := proposed["envelope"].(string)
	var envelope struct {
		Payload    []byte
		Signatures []struct{ Sig string }
	}
	if json.Unmarshal([]byte(text), &envelope) != nil || len(envelope.Signatures) != 1 {
		return nil
	}
	digest := func(content []byte) any {
		return map[string]any{"algorithm": "sha256", "value": fmt.Sprintf("%x", sha256.Sum256(content))}
	}
	verifiers, _ := proposed["verifiers"].([]any)
	return map[string]any{
		"envelopeHash": digest([]byte(text)), "payloadHash": digest(envelope.Payload),
		"signatures": []any{map[string]any{"signature": envelope.Signatures[0].Sig, "verifier": verifiers[0]}},
	}
}

func (s *sigstore) sign(t *testing.T, content []byte) []byte {
	digest := sha256.Sum256(content)
	signature, err := ecdsa.SignASN1(rand.Reader, s.logKey, digest[:])
	if err != nil {
		t.Error(err)
	}
	return signature
}

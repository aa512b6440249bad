package help

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// topics says which topics there are.
const topics = "Topics: artifetch help queries, environment, exit-codes."

// Topics are the names of the pages that aren't about a command.
func Topics() []string { return []string{"queries", "environment", "exit-codes"} }

// Topic returns the page of a topic, or "". codes are rows of exit codes.
func Topic(name string, codes [][2]string) string {
	head, rows, foot := TopicRows(name, codes)
	if head == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString(wrap(head) + "\n")
	writeRows(&b, rows)
	if foot != "" {
		b.WriteString("\n" + wrap(foot))
	}
	return b.String()
}

// TopicRows returns what a topic is about, words with their meanings, and what else there
// is to say.
func TopicRows(name string, codes [][2]string) (head string, rows [][2]string, foot string) {
	switch name {
	case "queries":
		return queriesHead, queryRows, queriesFoot
	case "environment":
		return environmentHead, environmentRows, ""
	case "exit-codes":
		return codesHead, codes, ""
	}
	return "", nil, ""
}

// Command is the command help. print prints the page of a command or a topic.
func Command(print func(c *cli.Context, words []string) error) *cli.Command {
	return &cli.Command{
		Name:      "help",
		Usage:     "show help about a command or a topic",
		UsageText: "artifetch help [COMMAND|TOPIC]",
		Description: `Topics are queries, environment and exit-codes. With --all, it shows every flag.

  artifetch help fetch
  artifetch help job log
  artifetch help exit-codes`,
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "all", Usage: "show every flag", DisableDefaultText: true}},
		Action: func(c *cli.Context) error { return print(c, c.Args().Slice()) },
	}
}

// Version is the command version.
func Version(print func(*cli.Context) error) *cli.Command {
	return &cli.Command{Name: "version", Usage: "show the version", UsageText: "artifetch version", Action: print}
}

const queriesHead = `A query says which job is meant. fetch, ls, cat, resolve, explain, keep and delete take the same one. GitLab's own rule is the default: a job of the newest successful pipeline of a ref.`

var queryRows = [][2]string{
	{"--ref main --job build", "the job build of the newest successful pipeline of main"},
	{"--job build", "the same, of the ref that the running job is for"},
	{"--ref dev --ref @default", "the first of these refs that has the job"},
	{"--job 'test*' --job lint", "several jobs of one pipeline, by glob and name"},
	{"--recent", "if the newest successful pipeline lacks the job, an older one"},
	{"--any-pipeline", "the newest successful job, whatever became of its pipeline"},
	{"--pipeline ID", "a job of that pipeline; also current, upstream, root, latest"},
	{"--sha SHA, --mr NUMBER", "a job of a commit, or of a merge request"},
	{"--job-id ID", "that job; an address from the browser will do, too"},
	{"-R group/project", "in another project: its path, ID or address"},
	{"--downstream", "also in downstream pipelines of other projects"},
	{"--wait 10m", "wait until the job has finished"},
}

const queriesFoot = `artifetch resolve prints which job a query means, and artifetch explain says why it finds nothing.`

const environmentHead = `Every flag --some-flag can be given as the variable ARTIFETCH_SOME_FLAG; a flag that can be repeated takes one value per line there. The order is: flag, ARTIFETCH_*, GITLAB_TOKEN, CI_*, default.`

var environmentRows = [][2]string{
	{"GITLAB_TOKEN", "a personal, project or group access token"},
	{"CI_JOB_TOKEN", "the token of a job, which GitLab sets; also /run/secrets/CI_JOB_TOKEN and /run/secrets/GITLAB_TOKEN"},
	{"CI_API_V4_URL, CI_SERVER_URL", "the GitLab instance, which GitLab sets in jobs"},
	{"CI_PROJECT_ID, CI_COMMIT_REF_NAME", "the project and ref of the running job: the default of --project and --ref"},
	{"CI_PROJECT_DIR", "where files go without --output"},
	{"CI_SERVER_TLS_CA_FILE", "certificates to trust; also SSL_CERT_FILE, SSL_CERT_DIR"},
	{"HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "the proxy to use"},
	{"ARTIFETCH_HEADERS", "headers for a gateway in front of GitLab"},
	{"GITLAB_CI", "in a job: sections and colours in the log"},
	{"CI", "in any CI: sync takes exactly what is locked"},
	{"CI_DEBUG_TRACE", "the same as -v"},
	{"NO_COLOR, CLICOLOR_FORCE, TERM=dumb", "messages without colours; with colours, even in a file; without, and without moving the cursor"},
	{"TMPDIR", "for temporary files"},
}

const codesHead = `Exit codes are an interface for allow_failure:exit_codes and retry:exit_codes, and never change.`

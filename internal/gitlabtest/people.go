package gitlabtest

import (
	"cmp"
	"hash/crc32"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// userEntity is UserBasic (lib/api/entities/user_basic.rb).
type userEntity struct {
	ID          int64  `json:"id"`
	Username    string `json:"username"`
	PublicEmail string `json:"public_email"`
	Name        string `json:"name"`
	State       string `json:"state"`
	Locked      bool   `json:"locked"`
	AvatarURL   any    `json:"avatar_url"`
	WebURL      string `json:"web_url"`
}

// userDetails is User (lib/api/entities/user.rb), which jobs have.
type userDetails struct {
	userEntity
	CreatedAt       string `json:"created_at"`
	Bio             string `json:"bio"`
	Location        string `json:"location"`
	LinkedIn        string `json:"linkedin"`
	Twitter         string `json:"twitter"`
	Discord         string `json:"discord"`
	WebsiteURL      string `json:"website_url"`
	GitHub          string `json:"github"`
	JobTitle        string `json:"job_title"`
	Pronouns        any    `json:"pronouns"`
	Organization    string `json:"organization"`
	Bot             bool   `json:"bot"`
	WorkInformation any    `json:"work_information"`
	Followers       int    `json:"followers"`
	Following       int    `json:"following"`
	LocalTime       any    `json:"local_time"`
}

func (c *call) userEntity(name string) userEntity {
	return userEntity{ID: userID(name), Username: name, Name: name, State: "active", WebURL: c.webURL() + "/" + name}
}

func (c *call) userDetails(name string) userDetails {
	return userDetails{userEntity: c.userEntity(name), CreatedAt: stamp(world.FixtureTime)}
}

// userID is the id of a user; the fixture's is 7.
func userID(name string) int64 {
	if name == world.FixtureUser {
		return 7
	}
	return int64(crc32.ChecksumIEEE([]byte(name)))
}

// commitEntity is Commit (lib/api/entities/commit.rb).
type commitEntity struct {
	ID               string         `json:"id"`
	ShortID          string         `json:"short_id"`
	CreatedAt        string         `json:"created_at"`
	ParentIDs        []string       `json:"parent_ids"`
	Title            string         `json:"title"`
	Message          string         `json:"message"`
	AuthorName       string         `json:"author_name"`
	AuthorEmail      string         `json:"author_email"`
	AuthoredDate     string         `json:"authored_date"`
	CommitterName    string         `json:"committer_name"`
	CommitterEmail   string         `json:"committer_email"`
	CommittedDate    string         `json:"committed_date"`
	Trailers         map[string]any `json:"trailers"`
	ExtendedTrailers map[string]any `json:"extended_trailers"`
	WebURL           string         `json:"web_url"`
}

// commitEntity of a commit that is gone is null.
func (c *call) commitEntity(commit *Commit) *commitEntity {
	if commit == nil {
		return nil
	}
	author, title, at := cmp.Or(commit.Author, world.FixtureUser), cmp.Or(commit.Title, "A change"), stamp(commit.CreatedAt)
	return &commitEntity{
		ID: commit.ID, ShortID: commit.ID[:min(len(commit.ID), 8)], CreatedAt: at, ParentIDs: orEmpty(commit.Parents),
		Title: title, Message: title + "\n",
		AuthorName: author, AuthorEmail: author + "@example.com", AuthoredDate: at,
		CommitterName: author, CommitterEmail: author + "@example.com", CommittedDate: at,
		Trailers: map[string]any{}, ExtendedTrailers: map[string]any{},
		WebURL: c.webURL() + "/" + c.project.Path + "/-/commit/" + commit.ID,
	}
}

// runnerEntity is Runner (lib/api/entities/ci/runner.rb).
type runnerEntity struct {
	ID                 int64      `json:"id"`
	Description        string     `json:"description"`
	IPAddress          any        `json:"ip_address"` // no longer told
	Active             bool       `json:"active"`
	Paused             bool       `json:"paused"`
	IsShared           bool       `json:"is_shared"`
	RunnerType         string     `json:"runner_type"`
	Name               any        `json:"name"`
	Online             bool       `json:"online"`
	CreatedBy          userEntity `json:"created_by"`
	CreatedAt          string     `json:"created_at"`
	Status             string     `json:"status"`
	JobExecutionStatus string     `json:"job_execution_status"`
}

// runnerManagerEntity is RunnerManager (lib/api/entities/ci/runner_manager.rb).
type runnerManagerEntity struct {
	ID                 int64  `json:"id"`
	SystemID           string `json:"system_id"`
	Version            string `json:"version"`
	Revision           string `json:"revision"`
	Platform           string `json:"platform"`
	Architecture       string `json:"architecture"`
	CreatedAt          string `json:"created_at"`
	ContactedAt        string `json:"contacted_at"`
	IPAddress          string `json:"ip_address"`
	Status             string `json:"status"`
	JobExecutionStatus string `json:"job_execution_status"`
}

func (c *call) runnerEntity() *runnerEntity {
	return &runnerEntity{
		ID: 32, Description: "shared", Active: true, IsShared: true, RunnerType: "instance_type", Online: true,
		CreatedBy: c.userEntity("root"), CreatedAt: stamp(world.FixtureTime), Status: "online", JobExecutionStatus: "idle",
	}
}

func runnerManager(contacted time.Time) *runnerManagerEntity {
	return &runnerManagerEntity{
		ID: 1, SystemID: "s_89e5e9956577", Version: "19.4.0", Revision: "d79f3e7b", Platform: "linux", Architecture: "amd64",
		CreatedAt: stamp(world.FixtureTime), ContactedAt: stamp(contacted), IPAddress: "127.0.0.1", Status: "online", JobExecutionStatus: "idle",
	}
}

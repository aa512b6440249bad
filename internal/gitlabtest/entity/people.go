package entity

import (
	"hash/crc32"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// User is UserBasic (lib/api/entities/user_basic.rb).
type User struct {
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
	User
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

// User makes the entity of a user.
func (in Instance) User(name string) User {
	return User{ID: UserID(name), Username: name, Name: name, State: "active", WebURL: in.Web + "/" + name}
}

func (in Instance) userDetails(name string) userDetails {
	return userDetails{User: in.User(name), CreatedAt: stamp(world.FixtureTime)}
}

// UserID returns a user's ID. The fixture's user has 7.
func UserID(name string) int64 {
	if name == world.FixtureUser {
		return 7
	}
	return int64(crc32.ChecksumIEEE([]byte(name)))
}

// runnerEntity is Runner (lib/api/entities/ci/runner.rb).
type runnerEntity struct {
	ID                 int64  `json:"id"`
	Description        string `json:"description"`
	IPAddress          any    `json:"ip_address"` // always null in newer versions
	Active             bool   `json:"active"`
	Paused             bool   `json:"paused"`
	IsShared           bool   `json:"is_shared"`
	RunnerType         string `json:"runner_type"`
	Name               any    `json:"name"`
	Online             bool   `json:"online"`
	CreatedBy          User   `json:"created_by"`
	CreatedAt          string `json:"created_at"`
	Status             string `json:"status"`
	JobExecutionStatus string `json:"job_execution_status"`
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

func (in Instance) runnerEntity() *runnerEntity {
	return &runnerEntity{
		ID: 32, Description: "shared", Active: true, IsShared: true, RunnerType: "instance_type", Online: true,
		CreatedBy: in.User("root"), CreatedAt: stamp(world.FixtureTime), Status: "online", JobExecutionStatus: "idle",
	}
}

func runnerManager(contacted time.Time) *runnerManagerEntity {
	return &runnerManagerEntity{
		ID: 1, SystemID: "s_89e5e9956577", Version: "19.4.0", Revision: "d79f3e7b", Platform: "linux", Architecture: "amd64",
		CreatedAt: stamp(world.FixtureTime), ContactedAt: stamp(contacted), IPAddress: "127.0.0.1", Status: "online", JobExecutionStatus: "idle",
	}
}

# The Homebrew formula, for a tap. release/formula.sh replaces the words between at signs.
class Artifetch < Formula
  desc "Fetches the artifacts of GitLab CI jobs"
  homepage "https://gitlab.com/artifetch/artifetch"
  version "@number@"
  license "MIT"

  on_macos do
    on_arm do
      url "@release@/artifetch_@version@_darwin_arm64.tar.gz"
      sha256 "@sha256@"
    end
    on_intel do
      url "@release@/artifetch_@version@_darwin_amd64.tar.gz"
      sha256 "@sha256@"
    end
  end
  on_linux do
    on_arm do
      url "@release@/artifetch_@version@_linux_arm64.tar.gz"
      sha256 "@sha256@"
    end
    on_intel do
      url "@release@/artifetch_@version@_linux_amd64.tar.gz"
      sha256 "@sha256@"
    end
  end

  def install
    bin.install "artifetch"
    man1.install "man/artifetch.1"
    bash_completion.install "completions/artifetch.bash" => "artifetch"
    fish_completion.install "completions/artifetch.fish"
    zsh_completion.install "completions/_artifetch"
    doc.install "LICENSES.txt"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/artifetch --version")
  end
end

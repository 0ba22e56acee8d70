import ArgumentParser
import Engine
import Foundation
import Host
import Training

@main
struct Psimagenet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "psimagenet", abstract: "Labelled image corpora, pretext training and honest checkpoints for X-ray detectors.",
    discussion: "Exit codes: 0 done, 1 an audit failed, 64 usage, 65 bad data, 66 missing input, 70 beyond this machine, 74 reading or writing failed, 75 stopped early and resumable.",
    subcommands: [Simulate.self, Inspect.self, InstrumentCommand.self, Build.self, Export.self, Show.self, Audit.self, Matrix.self, Pretrain.self, Transfer.self, CuesCommand.self, Publish.self, Report.self, Study.self, Demo.self, Bench.self, Step.self])

  /// Prints one clear line for a known error and ends with the code that tells its kind.
  static func main() {
    // A file that grows beyond the limit of the shell (ulimit -f) is an error of writing then, and not the end of the program.
    signal(SIGXFSZ, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as InputError {
      end(error.description, error.kind.rawValue)
    } catch let error as EngineError {
      end(error.description, 70)
    } catch let error as MemoryShortage {
      end(error.description, 70)
    } catch let error as Divergence {
      end(error.description, InputError.Kind.malformed.rawValue)
    } catch {
      exit(withError: error)
    }
  }

  private static func end(_ message: String, _ code: Int32) -> Never {
    FileHandle.standardError.write(Data("psimagenet: \(message)\n".utf8))
    Foundation.exit(code)
  }
}

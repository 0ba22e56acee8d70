import ArgumentParser
import Corpora
import Foundation
import Host
import Simulation

struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write raw runs (XTC1) of a simulated detector, with calibration constants and the truth of every shot.",
    discussion: """
      A plan file (YAML or JSON) names folders and what is simulated into each: detector, runs, parameters, and designs of conditions that \
      change from shot to shot.

      Example: psimagenet simulate xtcav --runs 1-6 --shots 40 --out raw/xtcav
      Example: psimagenet simulate --plan Datasets/thousand-plan.yaml --out raw
      """)

  @Argument(help: "cspad, timetool or xtcav.") var detector: String?
  @Option(help: "A plan file instead.") var plan: String?
  @Option(help: "Run numbers: 1-6 or 1,4,9.") var runs = "1-4"
  @Option(help: "Shots with beam in each run.") var shots = 100
  @Option(help: "Beam-off (dark) shots in each run.") var darks = 5
  @Option(help: "Share of beam shots with the detector's label (hit, edge, lasing); the detector's own where left out.") var labelRate: Double?
  @Option(help: "Experiment name in the file names.") var experiment: String?
  @Option(help: "Seed of every random number.") var seed: UInt64 = 0
  @Flag(help: "Tie the label to the run, to see what a leak does.") var confounded = false
  @Option(help: "Folder for the runs.") var out: String
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (detector == nil) != (plan == nil) else { throw ValidationError("give a detector, or --plan and a file") }
  }

  mutating func run() throws {
    let files: [String]
    if let plan {
      let value = try YAMLText.value(JSONValue.self, from: AtomicFile.read(plan), path: plan)
      let campaign = try value.decoded(as: SimulationCampaign.self, path: plan, place: "")
      files = try campaign.write(to: out, progress: output.progress)
    } else {
      files = try SimulatedRuns.write(try made(), to: out, progress: output.progress)
    }
    try output.print(files) { $0.joined(separator: "\n") }
  }

  /// The plan that the options describe.
  private func made() throws -> SimulationPlan {
    guard let detector, let camera = SimulationPlan.Camera(rawValue: detector) else {
      throw ValidationError("\(detector ?? "") is neither cspad, timetool nor xtcav; a plan file is given with --plan")
    }
    var made = SimulationPlan(detector: camera)
    made.runs = try Self.numbers(runs)
    made.shotsPerRun = shots
    made.darksPerRun = darks
    made.seed = seed
    made.confounded = confounded
    if let labelRate {
      made.cspad.hitRate = labelRate
      made.timeTool.referenceRate = 1 - labelRate
      made.xtcav.lasingRate = labelRate
    }
    made.experiment = experiment ?? "sim\(camera.rawValue)"
    return made
  }

  static func numbers(_ text: String) throws -> [Int] {
    let numbers = text.split(separator: ",").flatMap { part -> [Int] in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last, first <= last, last - first < 10_000 else { return [-1] }
      return Array(first...last)
    }
    guard !numbers.isEmpty, !numbers.contains(-1) else { throw ValidationError("runs are written 1-6 or 1,4,9, not \(text)") }
    return numbers
  }
}

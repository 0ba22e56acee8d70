import Corpora
import Engine
import Evaluation
import Frames
import Instruments
import Networks
import Pretexts
import Simulation
import Training

/// What the demo simulates, builds, trains and asks: small enough for minutes on two cores, and in every step the real thing.
struct DemoPlan {
  var seed: UInt64 = 7
  /// Runs of each detector; each has its own pedestals, gains, geometry, beam and nuisances.
  var runs = 30
  var cspadRuns = 20
  var shots = 36
  var cspadShots = 16
  var darks = 4
  var cspadDarks = 2
  /// Odd, so that no step of the network prefers a side.
  var side = 65
  /// Steps per pretext; the supervised trunk learns its easy question in fewer.
  var flipSteps = 180
  var cropSteps = 240
  var classSteps = 100
  var seeds: [UInt64] = [1, 2, 3]
  /// bfloat16 where the processor computes with it, which is faster; float32 elsewhere.
  var precision: PrecisionChoice

  init(precision: PrecisionChoice = .automatic) { self.precision = precision }

  /// Far fewer pictures and steps: to try the road, not to measure.
  func shortened() -> DemoPlan {
    var plan = self
    (plan.runs, plan.cspadRuns, plan.shots, plan.cspadShots) = (10, 10, 10, 8)
    (plan.flipSteps, plan.cropSteps, plan.classSteps, plan.seeds) = (20, 20, 20, [1, 2])
    return plan
  }

  var cameras: [SimulationPlan.Camera] { [.cspad, .timetool, .xtcav] }

  func experiment(_ camera: SimulationPlan.Camera) -> String { "sim\(camera.rawValue)" }

  func simulation(_ camera: SimulationPlan.Camera) -> SimulationPlan {
    var plan = SimulationPlan(detector: camera)
    plan.experiment = experiment(camera)
    plan.seed = seed
    let isCSPAD = camera == .cspad
    plan.runs = Array(1...(isCSPAD ? cspadRuns : runs))
    plan.shotsPerRun = isCSPAD ? cspadShots : shots
    plan.darksPerRun = isCSPAD ? cspadDarks : darks
    // Balanced classes, and signals that a picture of this size can show: the weakest lasing and the faintest edges are left out.
    plan.cspad.hitRate = 0.45
    plan.timeTool.referenceRate = 0.4
    plan.timeTool.depth = 0.15...0.5
    plan.xtcav.lasingRate = 0.5
    plan.xtcav.pulseEnergy_mJ = 0.05...2
    return plan
  }

  /// The corpus of all three detectors; paths relative to the demo's folder.
  func corpus() -> CorpusRecipe {
    let sources = cameras.map { camera -> SourceRecipe in
      let name = camera.rawValue, folder = "raw/\(name)", truth = "\(folder)/truth.csv"
      func table(_ label: String, _ column: String, _ values: [String: String]) -> LabelRule {
        LabelRule(name: label, .table(.init(file: truth, column: column)), values: values)
      }
      /// What the classical analysis says, for `transfer` to show beside the probes.
      func verdict(_ label: String, _ instrument: String, _ values: [String: String]) -> LabelRule {
        let classes = values.merging(["none": "none"]) { first, _ in first }
        return LabelRule(name: "\(label)-\(instrument)", .instrument(.init(InstrumentChoice(name: instrument))), values: classes)
      }
      var labels = [LabelRule(name: "kind", .constant(name))]
      switch camera {
      case .cspad:
        labels += [table("beam", "beam_on", ["1": "on", "0": "dark"]), table("hit", "hit", ["1": "hit", "0": "miss"])]
        labels.append(verdict("hit", "peaks", ["1": "hit", "0": "miss"]))
        return SourceRecipe(
          name: name, files: ["\(folder)/*.xtc"], detector: name, calibration: "\(folder)/calib", commonMode: .histogram,
          geometry: SourceRecipe.geometryOfCalibration, view: .assembled, tone: ToneMap(.asinh, scale: 1), labels: labels)
      case .timetool:
        // Beam off with the laser on is a reference shot, not a dark one.
        labels += [
          table("beam", "state", ["signal": "on", "reference": "on", "dark": "dark"]),
          table("edge", "edge_present", ["1": "edge", "0": "no edge"]),
          verdict("edge", "timetool", ["1": "edge", "0": "no edge"]),
        ]
        return SourceRecipe(
          name: name, files: ["\(folder)/*.xtc"], detector: name, calibration: "\(folder)/calib", view: .picture, fit: .stretch,
          tone: ToneMap(.asinh, scale: 100), labels: labels)
      case .xtcav:
        labels += [table("beam", "beam_on", ["1": "on", "0": "dark"]), table("lasing", "lasing", ["1": "lasing", "0": "not lasing"])]
        labels.append(verdict("lasing", "xtcav", ["1": "lasing", "0": "not lasing"]))
        return SourceRecipe(
          name: name, files: ["\(folder)/*.xtc"], detector: name, calibration: "\(folder)/calib", view: .picture,
          tone: ToneMap(.asinh, scale: 30), labels: labels)
      }
    }
    // Half of the runs train, a sixth validate, a third test: named, because a draw of so few runs can leave a split too thin.
    var assigned: [Split: [RunKey]] = [:]
    for camera in cameras {
      let count = camera == .cspad ? cspadRuns : runs
      for run in 1...count {
        let split: Split = 2 * run <= count ? .train : 3 * run <= 2 * count ? .validation : .test
        assigned[split, default: []].append(RunKey(experiment: experiment(camera), run: run))
      }
    }
    return CorpusRecipe(
      name: "demo", seed: seed, image: .init(height: side, width: side), split: SplitRule(runs: assigned), minimumCoverage: 0.2,
      sources: sources)
  }

  /// What is trained: two pretexts and the supervised trunk, each from every seed.
  var trainings: [(family: String, recipe: TrainingRecipe)] {
    get throws {
      try [
        ("flip", Choice.of(Flip()), flipSteps), ("crop-position", Choice.of(CropPosition()), cropSteps),
        ("supervised", Choice.of(FrameClass(label: "kind")), classSteps),
      ].flatMap { family, task, steps in
        seeds.map { seed in
          var recipe = TrainingRecipe()
          recipe.name = "\(family)-\(seed)"
          recipe.corpus = "corpus"
          recipe.exclude = ["beam": ["dark"]]
          recipe.task = task
          recipe.backbone = Choice(name: ResNet10.name)
          recipe.learningRate = 1e-3
          recipe.schedule = Schedule(.cosine, warmupSteps: min(20, steps / 4))
          recipe.batch = 64
          recipe.steps = steps
          recipe.precision = precision
          recipe.seed = seed
          recipe.validateEvery = max(1, steps / 4)
          recipe.checkpointEvery = steps
          return (family, recipe)
        }
      }
    }
  }

  var tasks: [DownstreamTask] { [.lasing, .hitFinding, .edgeFinding] }
}

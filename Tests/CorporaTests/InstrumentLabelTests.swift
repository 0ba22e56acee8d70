import Corpora
import Foundation
import Frames
import Host
import Instruments
import Simulation
import TestSupport
import Testing

struct InstrumentLabelTests {
  /// What an instrument says of each file's own frames becomes a label, beside the simulation's truth.
  @Test func timeToolVerdictsAndBinsBecomeLabels() throws {
    let scratch = Scratch()
    var plan = SimulationPlan(detector: .timetool)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun, plan.experiment) = ([1, 2, 3], 16, 2, "sim")
    (plan.timeTool.referenceRate, plan.timeTool.noLaserRate, plan.timeTool.depth) = (0.4, 0.1, 0.2...0.3)
    try SimulatedRuns.write(plan, to: scratch.path)
    let recipe = try CorpusRecipe(
      yaml: """
        name: timetool
        image: {height: 33, width: 65}
        split: {runs: {train: ['sim:1'], validation: ['sim:2'], test: ['sim:3']}}
        sources:
          - name: timetool
            files: ["*.xtc"]
            detector: timetool
            calibration: calib
            fit: stretch
            labels:
              - {name: edge, table: {file: truth.csv, column: edge_present}, values: {"1": edge, "0": no edge}}
              - {name: edge-timetool, instrument: {name: timetool}, values: {"1": edge, "0": no edge, none: none}}
              - {name: height, instrument: {name: timetool, settings: {taps: 40}, column: amplitude, bins: [{name: low, below: 0.05}, {name: high}]}}
        """)
    let corpus = try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("c"))
    #expect(corpus.records.count == 54)
    let answered = corpus.records.filter { $0.labels["edge-timetool"] != "none" }
    #expect(answered.count >= 40 && answered.count < 54)
    let right = answered.count { $0.labels["edge-timetool"] == $0.labels["edge"] }
    #expect(Double(right) / Double(answered.count) > 0.9, "\(right) of \(answered.count)")
    for record in corpus.records {
      #expect((record.labels["height"] == "none") == (record.labels["edge-timetool"] == "none"))
    }
    // Written with its defaults, and read back the same.
    #expect(try CorpusRecipe(yaml: String(decoding: AtomicFile.read(scratch("c/recipe.yaml")), as: UTF8.self)).sources == recipe.sources)
  }

  /// Runs in several streams and chunks get the labels of the same runs in one file each.
  @Test func runsInStreamsGetTheLabelsOfOneFile() throws {
    let scratch = Scratch()
    var plan = SimulationPlan(detector: .timetool)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun, plan.experiment) = ([1, 2, 3], 16, 2, "sim")
    (plan.timeTool.referenceRate, plan.timeTool.depth, plan.timeTool.height) = (0.4, 0.2...0.3, 256)
    for path in try SimulatedRuns.write(plan, to: scratch.path) where path.hasSuffix(".xtc") {
      _ = try RunStreamFiles.deal(path, to: scratch("dealt"), streams: 3, chunks: 2)
    }
    func labels(_ files: String, _ name: String) throws -> [EventID: [String: String]] {
      let recipe = try CorpusRecipe(
        yaml: """
          name: timetool
          image: {height: 33, width: 65}
          split: {runs: {train: ['sim:1'], validation: ['sim:2'], test: ['sim:3']}}
          sources:
            - name: timetool
              files: ["\(files)"]
              detector: timetool
              calibration: calib
              fit: stretch
              labels: [{name: edge, instrument: {name: timetool}}, {name: position, instrument: {name: timetool, column: edge_px}}]
          """)
      let corpus = try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch(name))
      return Dictionary(uniqueKeysWithValues: corpus.records.map { ($0.event, $0.labels) })
    }
    let whole = try labels("*.xtc", "whole"), dealt = try labels("dealt/*.xtc", "parts")
    #expect(whole.count == 54 && Set(whole.values.map { $0["edge"] }) == ["0", "1"])
    #expect(dealt == whole)
  }

  @Test(arguments: [
    ("{name: nose}", "instrument"), ("{name: peaks, settings: {minimumPeak: 3}}", "settings.minimumPeak"),
    ("{name: peaks, column: lasing}", "sources.[0].labels.[0].instrument.column"),
  ])
  func faultsAreNamed(_ instrument: String, _ place: String) throws {
    let error = #expect(throws: InputError.self) {
      try CorpusRecipe(
        yaml: """
          name: x
          image: {height: 9, width: 9}
          sources:
            - {name: a, files: ["*.xtc"], labels: [{name: hit, instrument: \(instrument)}]}
          """)
    }
    #expect(error?.place == place)
  }
}

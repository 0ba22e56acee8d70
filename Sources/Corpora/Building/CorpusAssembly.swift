import Dispatch
import Foundation
import Frames
import Host
import Synchronization

/// The second pass over the raw files: pictures into the shards that are this process's share, in the order of the survey.
///
/// All cores take units from one feed, develop and compress them. In memory are at most eight undeveloped frames a core, 32 MB of them or a
/// single one, and the compressed pictures of one shard a split.
struct CorpusAssembly {
  private let recipe: CorpusRecipe
  private let survey: Survey
  private let plan: ShardPlan
  private let place: BuildFolder
  private let crew: BuildCrew
  private let darkroom: Darkroom
  private var open: [ShardKey: OpenShard] = [:]
  /// By source, what this process could not decode.
  private var damaged: [Int: DamagedEvents] = [:]

  /// A shard that waits for its last picture.
  private struct OpenShard {
    var pictures: [PackedPicture] = []
    var refused: [String: [String: Int]] = [:]
    var damaged: [String: DamagedEvents] = [:]
    var geometries: [String: DetectorCoordinates] = [:]
  }

  init(_ recipe: CorpusRecipe, _ survey: Survey, _ plan: ShardPlan, in place: BuildFolder, _ crew: BuildCrew) {
    (self.recipe, self.survey, self.plan, self.place, self.crew) = (recipe, survey, plan, place, crew)
    darkroom = Darkroom(recipe, survey)
  }

  /// Makes what is not finished of this process's share.
  mutating func run(_ progress: BuildProgressHandler) throws(InputError) {
    var wanted = plan.share(of: crew.rank)
    for key in wanted where try place.isFinished(key) { wanted.remove(key) }
    let (units, last) = units(of: wanted)
    let cores = max(1, ProcessInfo.processInfo.activeProcessorCount), spareBytes = SpareBytes(limit: 8 * cores)
    let feed = Mutex(UnitFeed(survey, wanted: units, spareBytes: spareBytes))
    var done = 0
    while done < units.count {
      let batch = CorpusAssembly.develop(
        min(32 * cores, units.count - done), from: feed, in: darkroom, cores: cores, spareBytes)
      for result in batch {
        let developed = try result.get(), job = developed.job, key = plan.key(ofUnit: job.index, job.unit.split)
        add(developed, to: key)
        if let damage = developed.damage {
          // Beyond the limit there is no use in going on; what other processes and earlier builds lost is added at the end.
          damaged[job.source, default: DamagedEvents()].add(DamagedEvents(damage))
          try survey.sources[job.source].requireLittleDamage(beside: damaged[job.source])
        }
        if last[key] == Int32(job.index) { try close(key) }
        done += 1
        let file = survey.sources[job.source].files[job.file].raw.match.name
        try progress(Progress("build \(recipe.name)", done: done, total: units.count, note: file))
      }
      try crew.check()
    }
  }

  /// The units of some shards, rising, and the last one of each shard.
  private func units(of shards: Set<ShardKey>) -> (units: [Int32], last: [ShardKey: Int32]) {
    var units: [Int32] = [], last: [ShardKey: Int32] = [:], index: Int32 = 0
    for source in survey.sources {
      for unit in source.units {
        let key = plan.key(ofUnit: Int(index), unit.split)
        if shards.contains(key) {
          units.append(index)
          last[key] = index
        }
        index += 1
      }
    }
    return (units, last)
  }

  private struct Intake: ~Copyable {
    var taken = 0
    var hasFailed = false
  }

  /// The next `count` units of the feed, developed on all cores, in order; ends with the first failure of the feed.
  private static func develop(
    _ count: Int, from feed: borrowing Mutex<UnitFeed>, in darkroom: Darkroom, cores: Int, _ spareBytes: SpareBytes
  ) -> [Result<Darkroom.Developed, InputError>] {
    let results = Mutex([Result<Darkroom.Developed, InputError>?](repeating: nil, count: count))
    let intake = Mutex(Intake())
    /// The next units with the place of the first in `results`, and what the feed failed by. Several small frames at a time, and fewer
    /// towards the end, so that no core waits for long.
    @Sendable func next() -> (place: Int, jobs: [UnitFeed.Job], failure: InputError?)? {
      intake.withLock { intake in
        guard intake.taken < count, !intake.hasFailed else { return nil }
        let place = intake.taken, share = (count - place + 2 * cores - 1) / (2 * cores)
        var jobs: [UnitFeed.Job] = [], failure: InputError?
        feed.withLock { feed in
          do throws(InputError) {
            var limit = 1
            while jobs.count < min(limit, share), let job = try feed.job() {
              // How large a file of a single event is shows when it is developed.
              limit = job.payloads.isEmpty ? 1 : PanelwiseDevelopment.frames(ofBytes: job.payloads.reduce(0) { $0 + $1.bytes.count })
              jobs.append(job)
            }
          } catch {
            failure = error
          }
        }
        intake.taken += jobs.count
        intake.hasFailed = failure != nil
        return jobs.isEmpty && failure == nil ? nil : (place, jobs, failure)
      }
    }
    DispatchQueue.concurrentPerform(iterations: min(cores, count)) { _ in
      while let (place, jobs, failure) = next() {
        let developed = darkroom.developed(jobs) + (failure.map { [.failure($0)] } ?? [])
        for job in jobs { for payload in job.payloads { spareBytes.keep(payload.bytes) } }
        results.withLock { results in
          for (i, result) in developed.enumerated() { results[place + i] = result }
        }
      }
    }
    return results.withLock { $0 }.compactMap { $0 }
  }

  private mutating func add(_ developed: Darkroom.Developed, to key: ShardKey) {
    open[key, default: OpenShard()].pictures += developed.pictures
    if developed.refused > 0 {
      let source = survey.sources[developed.job.source].opened.recipe.name
      open[key]?.refused[source, default: [:]]["coverage below \(recipe.minimumCoverage)", default: 0] += developed.refused
    }
    if let damage = developed.damage {
      let recipe = survey.sources[developed.job.source].opened.recipe
      open[key]?.refused[recipe.name, default: [:]][damage.summary, default: 0] += 1
      if recipe.stack > 1 {
        open[key]?.refused[recipe.name, default: [:]]["in a stack with a damaged event", default: 0] += recipe.stack - 1
      }
      open[key]?.damaged[recipe.name, default: DamagedEvents()].add(DamagedEvents(damage))
    }
    open[key]?.geometries.merge(developed.geometries) { known, _ in known }
  }

  /// Writes the shard with the geometries that its records name, then its journal entry.
  private mutating func close(_ key: ShardKey) throws(InputError) {
    guard let shard = open.removeValue(forKey: key) else { return }
    for (digest, coordinates) in shard.geometries where !FileManager.default.fileExists(atPath: place.geometry(digest)) {
      // Several processes may do this at once, with the same bytes.
      let own = place.geometry(digest) + ".rank\(crew.rank.number)"
      try coordinates.write(to: own)
      try AtomicFile.move(own, to: place.geometry(digest))
    }
    var records = shard.pictures.map(\.record)
    for row in records.indices { (records[row].shard, records[row].row) = (key.file, row) }
    var written: CorpusManifest.Shard?
    if !records.isEmpty {
      let path = "\(place.path)/\(key.file)"
      try Shard.write(shard.pictures, labels: recipe.labelNames, height: recipe.image.height, width: recipe.image.width, to: path)
      written = CorpusManifest.Shard(
        file: key.file, split: key.split, pictures: records.count, bytes: try fileSize(path), sha256: try Checksum.sha256(file: path))
    }
    try place.write(BuildFolder.Entry(shard: written, records: records, refused: shard.refused, damaged: shard.damaged), of: key)
  }
}

extension CorpusRecipe {
  /// The labels of all sources, sorted.
  var labelNames: [String] { Set(sources.flatMap { $0.labels.map(\.name) }).sorted() }
}

func fileSize(_ path: String) throws(InputError) -> Int {
  do {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    guard let size = attributes[.size] as? NSNumber else { throw CocoaError(.fileReadUnknown) }
    return size.intValue
  } catch {
    throw InputError(.inputOutput, path: path, place: "size", expected: "a readable file", found: error.localizedDescription)
  }
}

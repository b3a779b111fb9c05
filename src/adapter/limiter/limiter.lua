-- Counts one unit of a limit ("take") or gives it back ("give"), atomically. KEYS[1] is the only key, so the
-- script also runs on a cluster. It implements the same algorithm as `Log` in window.rs, and one contract
-- suite tests both. The script never reads the server's clock: the caller passes the time.
--
-- The key is a list: the head "latest seq refused cooldown_until total", then entries "time:count", oldest
-- first. Times are in microseconds, which a double represents exactly until the year 2255. Numbers are
-- formatted with %.0f because tostring keeps only fourteen digits.
--
-- take: now limit window cooldown granule skew ttl_ms counts
--       -> {1, last, time, seq, latest, refused, cooldown_until}  the receipt for `give`
--       or {2}, if a unit is available but not counted, because counts is 0
--       or {0, retry_at}, if no unit is available
-- give: time seq latest refused cooldown_until  -> {1}

local key = KEYS[1]

local function head_text(head)
  return string.format('%.0f %.0f %d %.0f %.0f', head.latest, head.seq, head.refused, head.cooldown_until, head.total)
end

-- Returns the head of the log and its text. Creates the head if the key does not exist, so that a list always
-- starts with a head; the text is then nil.
local function load_head()
  local text = redis.call('LINDEX', key, 0)
  if not text then
    local head = { latest = 0, seq = 0, refused = 0, cooldown_until = 0, total = 0 }
    redis.call('RPUSH', key, head_text(head))
    return head, nil
  end
  local latest, seq, refused, cooldown_until, total = string.match(text, '^(%-?%d+) (%d+) (%d) (%-?%d+) (%d+)$')
  return {
    latest = tonumber(latest), seq = tonumber(seq), refused = tonumber(refused),
    cooldown_until = tonumber(cooldown_until), total = tonumber(total),
  }, text
end

local function entry_text(time, count)
  return string.format('%.0f:%.0f', time, count)
end

-- Returns the time and count of an entry. Position 1 is the oldest entry, -1 the newest. Returns nil for the
-- head, which does not match the pattern, so the newest entry of an empty log is nil.
local function entry(position)
  local text = redis.call('LINDEX', key, position)
  if not text then return nil end
  local time, count = string.match(text, '^(%-?%d+):(%d+)$')
  return tonumber(time), tonumber(count)
end

-- Adds units at a time, or to the newest entry if that is not older. Returns the time of the entry.
local function append(time, count)
  local newest, held = entry(-1)
  if newest and newest >= time then
    redis.call('LSET', key, -1, entry_text(newest, held + count))
    return newest
  end
  redis.call('RPUSH', key, entry_text(time, count))
  return time
end

-- After a clock jump, moves all units that lie in the future to `now`. They still count, for one window from
-- now.
local function rewind(head, now)
  local count = 0
  while true do
    local time, held = entry(-1)
    if not time or time <= now then break end
    count = count + held
    redis.call('RPOP', key)
  end
  if count > 0 then append(now, count) end
  head.latest = now
end

-- Drops expired units.
local function expire(head, now, window)
  local newest = entry(-1)
  local dropped = 0
  if newest and newest + window <= now then
    dropped = redis.call('LLEN', key) - 1
    head.total = 0
  else
    while true do
      local time, count = entry(dropped + 1)
      if not time or time + window > now then break end
      dropped = dropped + 1
      head.total = head.total - count
    end
  end
  if dropped > 0 then
    redis.call('LTRIM', key, dropped + 1, -1)
    redis.call('LPUSH', key, head_text(head))
  end
end

-- Returns the first time at which the window contains fewer than `limit` units.
local function room_at(head, now, limit, window)
  local left = head.total
  if left < limit then return now end
  local position = 1
  while true do
    local time, count = entry(position)
    if not time then return now + window end
    left = left - count
    if left < limit then return time + window end
    position = position + 1
  end
end

local function admit(head, now, limit, granule)
  local receipt = { 1, 0, 0, head.seq + 1, head.latest, head.refused, head.cooldown_until }
  head.latest, head.refused, head.cooldown_until = now, 0, 0
  head.seq, head.total = head.seq + 1, head.total + 1
  if head.total >= limit then receipt[2] = 1 end
  receipt[3] = append(now + math.fmod(granule - math.fmod(now, granule), granule), 1)
  return receipt
end

local function refuse(head, now, limit, window, cooldown)
  if head.refused == 0 and cooldown > 0 then
    head.refused, head.cooldown_until = 1, now + cooldown
  end
  return { 0, math.max(room_at(head, now, limit, window), head.cooldown_until) }
end

local function take(now, limit, window, cooldown, granule, skew, ttl_ms, counts)
  local head, before = load_head()
  if now < head.latest - skew then rewind(head, now) end
  now = math.max(now, head.latest)
  head.cooldown_until = math.min(head.cooldown_until, now + cooldown)
  expire(head, now, window)
  local answer
  if head.total >= limit or now < head.cooldown_until then
    answer = refuse(head, now, limit, window, cooldown)
  elseif counts == 1 then
    answer = admit(head, now, limit, granule)
  else
    answer = { 2 }
    if head.total == 0 and head.refused == 0 then
      redis.call('DEL', key)
      return answer
    end
  end
  local after = head_text(head)
  if after ~= before then
    redis.call('LSET', key, 0, after)
    redis.call('PEXPIRE', key, ttl_ms)
  end
  return answer
end

-- Returns the position of the entry with that time, or of the newest entry if a rewind has moved the unit there.
local function position_of(time)
  local position = -1
  while true do
    local found = entry(position)
    if not found or found < time and position < -1 then return nil end
    if found <= time then return position end
    position = position - 1
  end
end

local function give(time, seq, latest, refused, cooldown_until)
  local head, before = load_head()
  local position = position_of(time)
  if position then
    local held_at, held = entry(position)
    head.total = head.total - 1
    if held > 1 then
      redis.call('LSET', key, position, entry_text(held_at, held - 1))
    else
      redis.call('LREM', key, -1, entry_text(held_at, held))
    end
  end
  if head.seq == seq then
    -- No unit was admitted since: restore the state before this one, unless a refusal has started a new cooldown.
    head.latest = math.min(head.latest, latest)
    if head.refused == 0 then head.refused, head.cooldown_until = refused, cooldown_until end
  end
  if not before or head.total == 0 and head.refused == 0 then
    redis.call('DEL', key)
  else
    redis.call('LSET', key, 0, head_text(head))
  end
  return { 1 }
end

local numbers = {}
for i = 2, #ARGV do numbers[i - 1] = tonumber(ARGV[i]) end
if ARGV[1] == 'take' then return take(unpack(numbers)) end
return give(unpack(numbers))
